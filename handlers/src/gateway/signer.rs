//! Signature version 4 for `@connections` calls.
//!
//! What the signatures of one second have in common, above all the key, is made once: a broadcast
//! signs thousands of posts in that time, which differ by the connection and the frame alone.

use std::fmt::Write;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_credential_types::Credentials;
use aws_sigv4::sign::v4::{calculate_signature, generate_signing_key};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use http::header::{AUTHORIZATION, HeaderValue};
use http::{Request, Uri};
use sha2::{Digest, Sha256};

const SERVICE: &str = "execute-api";

/// Signs calls with one set of credentials.
pub(super) struct Signer {
    credentials: Credentials,
    region: String,
    stamp: Mutex<Option<Arc<Stamp>>>,
}

/// What the signatures of one second have in common.
struct Stamp {
    second: u64,
    /// `20261124T031407Z`
    time: HeaderValue,
    /// `20261124/eu-west-1/execute-api/aws4_request`
    scope: String,
    key: Vec<u8>,
}

impl Signer {
    /// A signer for the gateway of `region`.
    pub(super) fn new(credentials: Credentials, region: &str) -> Self {
        Self {
            credentials,
            region: region.to_owned(),
            stamp: Mutex::new(None),
        }
    }

    /// Adds the headers of the signature to a request, the hash of whose body is `digest` in hex.
    ///
    /// Fails when the credentials or the request's address can't be part of a header.
    pub(super) fn sign<B>(
        &self,
        request: &mut Request<B>,
        digest: &str,
        now: SystemTime,
    ) -> Result<(), http::Error> {
        let stamp = self.stamp(now)?;
        let token = self.credentials.session_token();
        let time = stamp.time.to_str().unwrap_or_default();
        let signed = match token {
            Some(_) => "host;x-amz-date;x-amz-security-token",
            None => "host;x-amz-date",
        };
        let mut canonical = String::with_capacity(2048);
        let host = request.uri().authority().map_or("", |host| host.as_str());
        let (method, path) = (request.method(), canonical_path(request.uri()));
        write!(
            canonical,
            "{method}\n{path}\n\nhost:{host}\nx-amz-date:{time}\n"
        )
        .expect("a string takes all text");
        if let Some(token) = token {
            writeln!(canonical, "x-amz-security-token:{token}").expect("a string takes all text");
        }
        write!(canonical, "\n{signed}\n{digest}").expect("a string takes all text");
        let scope = &stamp.scope;
        let to_sign = format!("AWS4-HMAC-SHA256\n{time}\n{scope}\n{}", hashed(&canonical));
        let signature = calculate_signature(&stamp.key, to_sign.as_bytes());
        let id = self.credentials.access_key_id();
        let authorization = format!(
            "AWS4-HMAC-SHA256 Credential={id}/{scope}, SignedHeaders={signed}, Signature={signature}"
        );
        let headers = request.headers_mut();
        headers.insert(AUTHORIZATION, secret(&authorization)?);
        headers.insert("x-amz-date", stamp.time.clone());
        if let Some(token) = token {
            headers.insert("x-amz-security-token", secret(token)?);
        }
        Ok(())
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
        let secret = self.credentials.secret_access_key();
        let key = generate_signing_key(secret, now, &self.region, SERVICE);
        let stamp = Arc::new(Stamp {
            second,
            time: HeaderValue::from_str(&time)?,
            scope,
            key: key.as_ref().to_vec(),
        });
        *latest = Some(Arc::clone(&stamp));
        Ok(stamp)
    }
}

/// A header that no log shows.
fn secret(text: &str) -> Result<HeaderValue, http::Error> {
    let mut value = HeaderValue::from_str(text)?;
    value.set_sensitive(true);
    Ok(value)
}

/// The path, escaped once more than it is in the address: so wants every service but S3.
fn canonical_path(uri: &Uri) -> String {
    let mut path = String::with_capacity(uri.path().len() + 16);
    for byte in uri.path().bytes() {
        if byte.is_ascii_alphanumeric() || b"-_.~/".contains(&byte) {
            path.push(char::from(byte));
        } else {
            write!(path, "%{byte:02X}").expect("a string takes all text");
        }
    }
    path
}

/// The hash of a text in hex.
pub(super) fn hashed(text: &str) -> String {
    let mut digest = String::with_capacity(64);
    for byte in Sha256::digest(text) {
        write!(digest, "{byte:02x}").expect("a string takes all text");
    }
    digest
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign};
    use aws_sigv4::sign::v4::SigningParams;

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
            let signer = Signer::new(credentials.clone(), "eu-west-1");
            for (number, uri) in (0_u64..).zip(ADDRESSES) {
                for method in ["POST", "GET", "DELETE"] {
                    // Some of one second, some of another day.
                    let now =
                        UNIX_EPOCH + Duration::from_millis(1_795_490_047_300 + number * 43_200_000);
                    let make = || Request::builder().method(method).uri(uri).body(()).unwrap();
                    let (mut ours, mut theirs) = (make(), make());
                    let digest = hashed(uri);
                    signer.sign(&mut ours, &digest, now).unwrap();
                    reference(&mut theirs, credentials.clone(), &digest, now);
                    assert_eq!(ours.headers(), theirs.headers(), "{method} {uri}");
                }
            }
        }
    }

    #[test]
    fn the_key_of_a_second_is_made_once() {
        let credentials = Credentials::new("AKID", "a secret", None, None, "test");
        let signer = Signer::new(credentials, "eu-west-1");
        let at = |ms| UNIX_EPOCH + Duration::from_millis(ms);
        let first = signer.stamp(at(5000)).unwrap();
        assert!(Arc::ptr_eq(&first, &signer.stamp(at(5999)).unwrap()));
        assert!(!Arc::ptr_eq(&first, &signer.stamp(at(6000)).unwrap()));
    }
}
