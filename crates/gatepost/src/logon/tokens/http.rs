//! What little HTTP it takes to ask a provider: one request on a connection of its own, with limits.

use std::time::Duration;

use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Bytes;
use hyper::header::{ACCEPT, AUTHORIZATION, CONTENT_TYPE, HOST, HeaderValue};
use hyper::{Method, Request, Uri};
use hyper_util::rt::TokioIo;
use proto::logon::Secret;
use rustls::pki_types::ServerName;
use serde::de::DeserializeOwned;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio_rustls::TlsConnector;

use crate::tls::client_config;

/// From looking up the name to the answer's last octet.
const PATIENCE: Duration = Duration::from_secs(5);
/// Octets of an answer's body.
const LARGEST: usize = 256 * 1024;

/// A URL that may be asked: by TLS, or in clear on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Url {
    host: String,
    port: u16,
    tls: bool,
    /// As it stands in `Host`.
    authority: String,
    /// The path and the query.
    target: String,
}

impl Url {
    pub fn parse(text: &str) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("{text:?} is no URL: {error}"))?;
        let tls = uri.scheme_str() == Some("https");
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let Some(authority) = authority.filter(|_| tls || uri.scheme_str() == Some("http")) else {
            return Err(format!("{text:?} is no URL such as https://id.example.test/"));
        };
        let host = authority.host().trim_start_matches('[').trim_end_matches(']').to_owned();
        let is_here = host == "localhost" || host.parse().is_ok_and(|ip: std::net::IpAddr| ip.is_loopback());
        if !tls && !is_here {
            return Err(format!("{text:?} is not https, which is needed for other machines than this one"));
        }
        let port = authority.port_u16().unwrap_or(if tls { 443 } else { 80 });
        let target = uri.path_and_query().map_or("/", |target| target.as_str()).to_owned();
        Ok(Self { host, port, tls, authority: authority.to_string(), target })
    }
}

pub struct Http {
    tls: TlsConnector,
}

impl Http {
    /// Trusts what is in the PEM file; without one, what the system trusts.
    pub fn new(authority_file: &str) -> Result<Self, String> {
        let config = client_config("OpenId.CertificateAuthority", authority_file)?;
        Ok(Self { tls: TlsConnector::from(config) })
    }

    pub async fn get<T: DeserializeOwned>(&self, url: &Url) -> Result<T, String> {
        self.ask(url, Request::builder().method(Method::GET), Bytes::new()).await
    }

    /// Sends a form.
    pub async fn post<T: DeserializeOwned>(
        &self,
        url: &Url,
        authorization: Option<&Secret>,
        form: &Secret,
    ) -> Result<T, String> {
        let mut request = Request::builder().method(Method::POST);
        request = request.header(CONTENT_TYPE, "application/x-www-form-urlencoded");
        if let Some(authorization) = authorization {
            let mut value = HeaderValue::from_str(authorization.expose()).map_err(|error| error.to_string())?;
            value.set_sensitive(true);
            request = request.header(AUTHORIZATION, value);
        }
        self.ask(url, request, Bytes::copy_from_slice(form.expose().as_bytes())).await
    }

    async fn ask<T: DeserializeOwned>(
        &self,
        url: &Url,
        request: hyper::http::request::Builder,
        body: Bytes,
    ) -> Result<T, String> {
        let Url { host, authority, target, .. } = url;
        // RFC 9112 §3.2.1, §3.2: the path alone, and Host beside it.
        let request = request.uri(target.as_str()).header(HOST, authority).header(ACCEPT, "application/json");
        let request = request.body(Full::new(body)).map_err(|error| error.to_string())?;
        let answer = async {
            let socket = TcpStream::connect((host.as_str(), url.port)).await.map_err(|error| error.to_string())?;
            if url.tls {
                let name = ServerName::try_from(host.clone()).map_err(|error| error.to_string())?;
                exchange(self.tls.connect(name, socket).await.map_err(|error| error.to_string())?, request).await
            } else {
                // Whatever the name stands for, nothing leaves this machine in clear.
                let is_here = socket.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
                if is_here { exchange(socket, request).await } else { Err("it is not on this machine".to_owned()) }
            }
        };
        let answer = tokio::time::timeout(PATIENCE, answer).await;
        let body = answer.unwrap_or_else(|_| Err(format!("no answer within {} seconds", PATIENCE.as_secs())));
        let body = body.map_err(|error| format!("{authority}{target}: {error}"))?;
        serde_json::from_slice(&body).map_err(|error| format!("{authority}{target}: not what was expected: {error}"))
    }
}

/// The body of the answer to one request. A redirection is not followed: no more than what is configured is asked.
async fn exchange(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<Bytes>>,
) -> Result<Bytes, String> {
    let (mut sender, connection) =
        hyper::client::conn::http1::handshake(TokioIo::new(stream)).await.map_err(|error| error.to_string())?;
    // Ended when this function is.
    let mut tasks = JoinSet::new();
    tasks.spawn(connection);
    let answer = sender.send_request(request).await.map_err(|error| error.to_string())?;
    if answer.status() != hyper::StatusCode::OK {
        return Err(format!("answered {}", answer.status()));
    }
    let body = Limited::new(answer.into_body(), LARGEST).collect().await.map_err(|error| error.to_string())?;
    Ok(body.to_bytes())
}

#[cfg(test)]
mod tests;
