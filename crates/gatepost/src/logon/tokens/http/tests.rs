use std::sync::Arc;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::PrivateKeyDer;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;
use tokio_rustls::TlsAcceptor;

use super::*;

#[test]
fn only_this_machine_is_asked_in_clear() {
    for right in ["https://id.example.test", "https://id.example.test:8443/a/b?c=d", "https://192.0.2.1/"] {
        assert!(Url::parse(right).unwrap().tls, "{right}");
    }
    for right in ["http://127.0.0.1:8080/realm", "http://[::1]/", "http://localhost:1/"] {
        assert!(!Url::parse(right).unwrap().tls, "{right}");
    }
    for wrong in ["http://id.example.test/", "http://192.0.2.1/", "http://127.0.0.1.example.test/"] {
        assert!(Url::parse(wrong).unwrap_err().contains("https"), "{wrong}");
    }
    for wrong in ["", "id.example.test", "ftp://127.0.0.1/", "/path", "https://", "https://a:b@c/", "https://a b/"] {
        assert!(Url::parse(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn a_url_has_its_port_and_its_path() {
    let url = Url::parse("https://[2001:db8::1]:8443/a?b=c").unwrap();
    assert_eq!((url.host.as_str(), url.port, url.target.as_str()), ("2001:db8::1", 8443, "/a?b=c"));
    assert_eq!(url.authority, "[2001:db8::1]:8443");
    let url = Url::parse("https://id.example.test").unwrap();
    assert_eq!((url.port, url.target.as_str()), (443, "/"));
}

/// Reads one request and writes this.
async fn answer(mut stream: impl AsyncRead + AsyncWrite + Unpin, said: &[u8]) {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        let octet = stream.read_u8().await.unwrap();
        request.push(octet);
    }
    // The client may have had enough before the end.
    let _ = stream.write_all(said).await;
    let _ = stream.shutdown().await;
}

/// Asks a server in clear that answers so.
async fn asked(said: Vec<u8>) -> Result<Value, String> {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/a", listener.local_addr().unwrap())).unwrap();
    let server = async { answer(listener.accept().await.unwrap().0, &said).await };
    let http = Http::new("").unwrap();
    let (answer, ()) = tokio::join!(http.get::<Value>(&url), server);
    answer
}

fn ok(body: &str) -> Vec<u8> {
    format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len()).into_bytes()
}

#[tokio::test]
async fn an_answer_is_json_of_no_more_octets_than_the_limit() {
    assert_eq!(asked(ok("{\"a\":1}")).await, Ok(json!({"a": 1})));
    let largest = format!("\"{}\"", "a".repeat(LARGEST - 2));
    assert!(asked(ok(&largest)).await.is_ok());
    assert!(asked(ok(&format!("{largest} "))).await.unwrap_err().contains("limit"));
    for endless in [
        b"HTTP/1.1 200 OK\r\n\r\n".to_vec(),
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n80000\r\n".to_vec(),
    ] {
        assert!(asked([endless, vec![b'1'; 2 * LARGEST]].concat()).await.unwrap_err().contains("limit"));
    }
}

#[tokio::test]
async fn whatever_is_not_an_answer_is_a_fault_that_names_the_url() {
    for (said, why) in [
        (&b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n"[..], "302"),
        (b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n", "401"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\n{", "expected"),
        (b"220 mail.example.test\r\n", "/a"),
        (b"", "/a"),
    ] {
        let error = asked(said.to_vec()).await.unwrap_err();
        assert!(error.contains(why) && error.contains("127.0.0.1"), "{error}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_not_waited_for() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = Url::parse(&format!("http://{}/", listener.local_addr().unwrap())).unwrap();
    let error = Http::new("").unwrap().get::<Value>(&url).await.unwrap_err();
    assert!(error.contains("no answer within 5 seconds"), "{error}");
}

#[tokio::test]
async fn by_tls_only_who_the_authority_vouches_for_is_asked() {
    let mut params = CertificateParams::new(Vec::<String>::new()).unwrap();
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
    let key = KeyPair::generate().unwrap();
    let leaf = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().signed_by(&key, &authority).unwrap();
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), authority.pem()).unwrap();
    let private = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let config = config.with_no_client_auth().with_single_cert(vec![leaf.der().clone()], private).unwrap();
    let (acceptor, listener) = (TlsAcceptor::from(Arc::new(config)), TcpListener::bind("127.0.0.1:0").await.unwrap());
    let port = listener.local_addr().unwrap().port();
    let trusting = Http::new(file.path().to_str().unwrap()).unwrap();
    for (http, host, is_trusted) in
        [(&trusting, "localhost", true), (&trusting, "127.0.0.1", false), (&Http::new("").unwrap(), "localhost", false)]
    {
        let url = Url::parse(&format!("https://{host}:{port}/")).unwrap();
        let server = async {
            if let Ok(stream) = acceptor.accept(listener.accept().await.unwrap().0).await {
                answer(stream, &ok("1")).await;
            }
        };
        let (answer, ()) = tokio::join!(http.get::<Value>(&url), server);
        assert_eq!(answer.is_ok(), is_trusted, "{host} {answer:?}");
    }
    let empty = tempfile::NamedTempFile::new().unwrap();
    assert!(Http::new(empty.path().to_str().unwrap()).err().unwrap().contains("no certificate"));
}
