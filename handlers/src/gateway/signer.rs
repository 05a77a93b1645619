//! Signature version 4 for `@connections` calls.
//!
//! What the signatures of one second have in common, above all the key, is made once: a broadcast
//! signs thousands of posts in that time, which differ by the connection and the frame alone.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use http::HeaderMap;
use http::header::{AUTHORIZATION, HeaderName, HeaderValue};
use sha2::{Digest, Sha256};

const SERVICE: &str = "execute-api";
const ALGORITHM: &str = "AWS4-HMAC-SHA256";
const DATE: HeaderName = HeaderName::from_static("x-amz-date");
const TOKEN: HeaderName = HeaderName::from_static("x-amz-security-token");

/// Signs calls to one host with one set of credentials.
pub(super) struct Signer {
    credentials: Credentials,
    region: String,
    host: String,
    stamp: Mutex<Option<Arc<Stamp>>>,
}

/// What the signatures of one second have in common.
struct Stamp {
    second: u64,
    /// `20261124T031407Z`
    time: HeaderValue,
    token: Option<HeaderValue>,
    /// Of the canonical request: from the empty query to the names of the signed headers.
    middle: String,
    /// Of the text that is signed: all but the canonical request's hash.
    preamble: String,
    /// Of the header `authorization`: all but the signature.
    authorization: String,
    key: Vec<u8>,
}

/// A call that is to be signed.
#[derive(Clone, Copy, Debug)]
pub(super) struct Call<'a> {
    pub(super) method: &'a str,
    /// The path of its address, as it goes out.
    pub(super) path: &'a str,
    /// The hash of its body in hex.
    pub(super) digest: &'a str,
}

/// The headers of a signature.
pub(super) struct Signature {
    authorization: HeaderValue,
    stamp: Arc<Stamp>,
}

impl Signature {
    /// Adds them to a call's.
    pub(super) fn add_to(self, headers: &mut HeaderMap) {
        headers.insert(AUTHORIZATION, self.authorization);
        headers.insert(DATE, self.stamp.time.clone());
        if let Some(token) = &self.stamp.token {
            headers.insert(TOKEN, token.clone());
        }
    }
}

impl Signer {
    /// A signer for the gateway of `region` at `host`.
    pub(super) fn new(credentials: Credentials, region: &str, host: &str) -> Self {
        Self {
            credentials,
            region: region.to_owned(),
            host: host.to_owned(),
            stamp: Mutex::new(None),
        }
    }

    /// Signs `call`.
    ///
    /// Fails when the credentials or the address can't be part of a header.
    pub(super) fn sign(&self, call: Call<'_>, now: SystemTime) -> Result<Signature, http::Error> {
        let stamp = self.stamp(now)?;
        let mut canonical = Sha256::new();
        canonical.update(call.method);
        canonical.update("\n");
        canonical.update(canonical_path(call.path));
        canonical.update(&stamp.middle);
        canonical.update(call.digest);
        let mut to_sign = String::with_capacity(stamp.preamble.len() + 64);
        to_sign.push_str(&stamp.preamble);
        push_hex(&mut to_sign, &canonical.finalize());
        let signature = calculate_signature(&stamp.key, to_sign.as_bytes());
        let authorization = [stamp.authorization.as_str(), &signature].concat();
        Ok(Signature {
            authorization: secret(authorization)?,
            stamp,
        })
    }

    fn stamp(&self, now: SystemTime) -> Result<Arc<Stamp>, http::Error> {
        let second = now.duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
        let mut latest = self.stamp.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(stamp) = latest.as_ref().filter(|stamp| stamp.second == second) {
            return Ok(Arc::clone(stamp));
        }
        let seconds = i64::try_from(second).unwrap_or_default();
        let time = DateTime::from_secs(seconds)
            .fmt(Format::DateTime)
            .unwrap_or_default()
            .replace(['-', ':'], "");
        let day = time.split('T').next().unwrap_or_default();
        let scope = format!("{day}/{}/{SERVICE}/aws4_request", self.region);
        let (id, token) = (
            self.credentials.access_key_id(),
            self.credentials.session_token(),
        );
        let signed = match token {
            Some(_) => "host;x-amz-date;x-amz-security-token",
            None => "host;x-amz-date",
        };
        let token_line = token.map_or_else(String::new, |token| {
            format!("x-amz-security-token:{token}\n")
        });
        let host = &self.host;
        let secret_key = self.credentials.secret_access_key();
        let key = generate_signing_key(secret_key, now, &self.region, SERVICE);
        let stamp = Arc::new(Stamp {
            second,
            middle: format!("\n\nhost:{host}\nx-amz-date:{time}\n{token_line}\n{signed}\n"),
            preamble: format!("{ALGORITHM}\n{time}\n{scope}\n"),
            authorization: format!(
                "{ALGORITHM} Credential={id}/{scope}, SignedHeaders={signed}, Signature="
            ),
            time: HeaderValue::from_str(&time)?,
            token: token.map(|token| secret(token.to_owned())).transpose()?,
            key: key.as_ref().to_vec(),
        });
        *latest = Some(Arc::clone(&stamp));
        Ok(stamp)
    }
}

/// A header that no log shows.
fn secret(text: String) -> Result<HeaderValue, http::Error> {
    let mut value = HeaderValue::try_from(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The path, escaped once more than it is in the address: so wants every service but S3.
fn canonical_path(path: &str) -> String {
    let mut canonical = String::with_capacity(path.len() + 16);
    for byte in path.bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            canonical.push(char::from(byte));
        } else {
            canonical.push('%');
            for digit in hex(byte) {
                canonical.push(char::from(digit.to_ascii_uppercase()));
            }
        }
    }
    canonical
}

/// The hash of a text in hex.
pub(super) fn hashed(text: &str) -> String {
    let mut digest = String::with_capacity(64);
    push_hex(&mut digest, &Sha256::digest(text));
    digest
}

fn push_hex(text: &mut String, bytes: &[u8]) {
    for digit in bytes.iter().copied().flat_map(hex) {
        text.push(char::from(digit));
    }
}

fn hex(byte: u8) -> [u8; 2] {
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    [byte >> 4, byte & 15].map(|digit| DIGITS[usize::from(digit)])
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4::SigningParams;
    use http::{Request, Uri};

    use super::*;

    const ADDRESSES: [&str; 3] = [
        "https://abc123.execute-api.eu-west-1.amazonaws.com/production/@connections/L0SM9cOFvHcCIhw%3D",
        "http://127.0.0.1:4566/_aws/execute-api/a1/pro-d_1/@connections/a%2Bb~c.d",
        "https://x.example/s/@connections/abc",
    ];

    /// What AWS's own crate makes of the same request.
    fn reference(
        request: &mut Request<()>,
        credentials: Credentials,
        digest: &str,
        now: SystemTime,
    ) {
        let identity = credentials.into();
        let parameters = SigningParams::builder()
            .identity(&identity)
            .region("eu-west-1")
            .name(SERVICE)
            .time(now)
            .settings(SigningSettings::default())
            .build()
            .unwrap()
            .into();
        let (method, uri) = (request.method().to_string(), request.uri().to_string());
        let body = SignableBody::Precomputed(digest.to_owned());
        let signable = SignableRequest::new(&method, &uri, std::iter::empty(), body).unwrap();
        let (signature, _) = sign(signable, &parameters).unwrap().into_parts();
        signature.apply_to_request_http1x(request);
    }

    #[test]
    fn signatures_are_those_of_aws() {
        for token in [None, Some("a/token+with=signs".to_owned())] {
            let credentials = Credentials::new("AKID", "a secret", token, None, "test");
            for (number, uri) in (0_u64..).zip(ADDRESSES) {
                let address: Uri = uri.parse().unwrap();
                let host = address.authority().unwrap().as_str();
                let signer = Signer::new(credentials.clone(), "eu-west-1", host);
                for method in ["POST", "GET", "DELETE"] {
                    // Some of one second, some of another day.
                    let now =
                        UNIX_EPOCH + Duration::from_millis(1_795_490_047_300 + number * 43_200_000);
                    let make = || Request::builder().method(method).uri(uri).body(()).unwrap();
                    let (mut ours, mut theirs) = (make(), make());
                    let digest = hashed(uri);
                    let call = Call {
                        method,
                        path: address.path(),
                        digest: &digest,
                    };
                    signer.sign(call, now).unwrap().add_to(ours.headers_mut());
                    reference(&mut theirs, credentials.clone(), &digest, now);
                    assert_eq!(ours.headers(), theirs.headers(), "{method} {uri}");
                }
            }
        }
    }

    #[test]
    fn the_key_of_a_second_is_made_once() {
        let credentials = Credentials::new("AKID", "a secret", None, None, "test");
        let signer = Signer::new(credentials, "eu-west-1", "x.example");
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        let first = signer.stamp(at(5000)).unwrap();
        assert!(Arc::ptr_eq(&first, &signer.stamp(at(5999)).unwrap()));
        assert!(!Arc::ptr_eq(&first, &signer.stamp(at(6000)).unwrap()));
    }
}
