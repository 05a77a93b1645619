//! The page's files, each in the encoding that the browser takes.

use place_config::FunctionEnv;
use place_page::{File, HASH, INDEX};

use super::UrlRequest;
use super::answer::{Keep, UrlAnswer};

/// The page itself. It alone keeps its name when the page changes.
pub(super) fn index(env: &FunctionEnv, request: &UrlRequest) -> UrlAnswer {
    let tag = format!("\"{HASH}\"");
    let answer = encoded(&INDEX, Keep::Asking, request)
        .header("etag", tag.clone())
        .header("content-security-policy", policy(env))
        .header("referrer-policy", "no-referrer");
    let known = request.headers.get("if-none-match");
    if known.is_some_and(|known| known.contains(&tag)) {
        return answer.not_modified();
    }
    answer
}

/// A file of the page of this hash. A page of before asks for files that are no longer there.
pub(super) fn file(hash: &str, name: &str, request: &UrlRequest) -> UrlAnswer {
    match File::named(name).filter(|_| hash == HASH) {
        Some(file) => encoded(file, Keep::ForEver, request),
        None => UrlAnswer::not_found(),
    }
}

fn encoded(file: &File, keep: Keep, request: &UrlRequest) -> UrlAnswer {
    let accepted = request.headers.get("accept-encoding");
    let accepted = accepted.map_or("", String::as_str);
    let (encoding, body) = if accepts(accepted, "br") {
        (Some("br"), file.brotli)
    } else if accepts(accepted, "gzip") {
        (Some("gzip"), file.gzip)
    } else {
        (None, file.plain)
    };
    let answer = UrlAnswer::bytes(file.content_type(), keep, body);
    let answer = answer.header("vary", "accept-encoding");
    match encoding {
        Some(encoding) => answer.header("content-encoding", encoding),
        None => answer,
    }
}

/// Whether an `Accept-Encoding` names this encoding, and not with a weight of zero (RFC 9110, 12.5.3).
fn accepts(header: &str, encoding: &str) -> bool {
    header.split(',').any(|offer| {
        let mut parts = offer.split(';').map(str::trim);
        let is_named = parts
            .next()
            .is_some_and(|name| name.eq_ignore_ascii_case(encoding));
        let refused = |weight: &str| {
            let digits = weight.strip_prefix("q=");
            digits
                .and_then(|q| q.parse::<f32>().ok())
                .is_some_and(|q| q <= 0.0)
        };
        is_named && !parts.any(refused)
    })
}

/// What the page may load and whom it may call: its own files, the canvas, and pictures from anywhere,
/// which templates are.
fn policy(env: &FunctionEnv) -> String {
    let frames = if env.page_allow_framing {
        "*"
    } else {
        "'none'"
    };
    let socket = origin(&env.websocket_url);
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob: http: \
         https:; connect-src 'self' {socket}; manifest-src 'self'; base-uri 'none'; form-action \
         'none'; frame-ancestors {frames}"
    )
}

/// Scheme, host and port of an address. A character that could end a directive is none of these.
fn origin(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else {
        return String::new();
    };
    let host: String = rest
        .chars()
        .take_while(|c| c.is_ascii_alphanumeric() || ".-:[]".contains(*c))
        .collect();
    format!("{scheme}://{host}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encoding_is_taken_where_the_browser_takes_it() {
        for (header, encoding, taken) in [
            ("gzip, deflate, br, zstd", "br", true),
            ("gzip;q=1.0, BR ; q=0.5", "br", true),
            ("gzip, br;q=0", "br", false),
            ("gzip, br;q=0", "gzip", true),
            ("", "gzip", false),
            ("brr", "br", false),
        ] {
            assert_eq!(accepts(header, encoding), taken, "{header}");
        }
    }

    #[test]
    fn an_address_gives_its_origin_and_nothing_that_widens_the_policy() {
        let url = "wss://a1.execute-api.eu-west-1.amazonaws.com/production";
        assert_eq!(origin(url), "wss://a1.execute-api.eu-west-1.amazonaws.com");
        assert_eq!(origin("ws://127.0.0.1:4566/x"), "ws://127.0.0.1:4566");
        assert_eq!(origin("wss://a; script-src *"), "wss://a");
        assert_eq!(origin(""), "");
    }
}
