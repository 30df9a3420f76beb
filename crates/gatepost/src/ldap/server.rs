//! One server of the directory: where it is, how a connection to it is made safe, and whether it can be had.

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use hyper::Uri;
use ldap3::{Ldap, LdapConnAsync, LdapConnSettings, StdStream};
use rustls::ClientConfig;
use tokio::net::TcpStream;

/// Where a connection gets its TLS from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Security {
    /// From the first octet.
    Tls,
    /// By StartTLS (RFC 4511 §4.14), and not without.
    StartTls,
    /// Nowhere: it does not leave this machine.
    Clear,
}

#[derive(Debug)]
pub struct Server {
    host: String,
    port: u16,
    security: Security,
    /// The last attempt failed.
    is_away: AtomicBool,
    /// Somebody tries it again, and nobody else does meanwhile.
    is_tried: AtomicBool,
}

impl Server {
    /// `trusts`: an authority is set, so that even this machine has to show a certificate of it.
    pub fn parse(text: &str, trusts: bool) -> Result<Self, String> {
        let uri: Uri = text.parse().map_err(|error| format!("{text:?} is no URL: {error}"))?;
        let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'));
        let (Some(scheme @ ("ldap" | "ldaps")), Some(authority), "" | "/", None) =
            (uri.scheme_str(), authority, uri.path(), uri.query())
        else {
            return Err(format!("{text:?} is no URL such as ldaps://dc1.example.test or ldap://dc1.example.test:389"));
        };
        let host = authority.host().to_owned();
        let bare = host.trim_start_matches('[').trim_end_matches(']');
        let is_here = bare == "localhost" || bare.parse().is_ok_and(|ip: IpAddr| ip.is_loopback());
        let (security, port) = match scheme {
            "ldaps" => (Security::Tls, 636),
            _ if is_here && !trusts => (Security::Clear, 389),
            _ => (Security::StartTls, 389),
        };
        let port = authority.port_u16().unwrap_or(port);
        Ok(Self { host, port, security, is_away: AtomicBool::default(), is_tried: AtomicBool::default() })
    }

    /// As it is set.
    pub fn url(&self) -> String {
        let scheme = if self.security == Security::Tls { "ldaps" } else { "ldap" };
        format!("{scheme}://{}:{}", self.host, self.port)
    }

    pub async fn connect(&self, tls: &Arc<ClientConfig>) -> Result<Ldap, String> {
        let bare = self.host.trim_start_matches('[').trim_end_matches(']');
        let socket = TcpStream::connect((bare, self.port)).await.map_err(|error| error.to_string())?;
        // Whatever the name stands for, nothing leaves this machine in clear.
        let is_here = socket.peer_addr().is_ok_and(|peer| peer.ip().is_loopback());
        if self.security == Security::Clear && !is_here {
            return Err("it is not on this machine".to_owned());
        }
        let socket = socket.into_std().map_err(|error| error.to_string())?;
        let settings = LdapConnSettings::new()
            .set_std_stream(StdStream::Tcp(socket))
            .set_starttls(self.security == Security::StartTls)
            .set_config(tls.clone());
        let connected = LdapConnAsync::with_settings(settings, &self.url()).await;
        let (connection, ldap) = connected.map_err(|error| error.to_string())?;
        // It ends when the last handle is dropped; what it fails with, the handle's user is told.
        tokio::spawn(connection.drive());
        Ok(ldap)
    }

    /// The right to try it: everybody's while it is well, one's at a time while it is away. So nobody waits for a server
    /// that somebody waits for in vain already, and it is had again as soon as it is back.
    pub fn attempt(&self) -> Option<Attempt<'_>> {
        let is_alone = self.is_away.load(Ordering::Acquire);
        if is_alone && self.is_tried.swap(true, Ordering::AcqRel) {
            return None;
        }
        Some(Attempt { server: self, is_alone })
    }
}

/// One use of a server. Dropping it says nothing of how it went.
pub struct Attempt<'a> {
    server: &'a Server,
    is_alone: bool,
}

impl Attempt<'_> {
    pub fn succeeded(self) {
        if self.server.is_away.swap(false, Ordering::AcqRel) {
            tracing::info!(server = self.server.url(), "a server of the directory is back");
        }
    }

    pub fn failed(self, error: &str) {
        if !self.server.is_away.swap(true, Ordering::AcqRel) {
            tracing::error!(server = self.server.url(), error, "a server of the directory cannot be asked");
        }
    }
}

impl Drop for Attempt<'_> {
    fn drop(&mut self) {
        if self.is_alone {
            self.server.is_tried.store(false, Ordering::Release);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_this_machine_is_asked_in_clear_and_only_where_no_authority_is_set() {
        let parse = |text, trusts| Server::parse(text, trusts).map(|server| (server.url(), server.security));
        for (text, trusts, url, security) in [
            ("ldaps://dc1.example.test", false, "ldaps://dc1.example.test:636", Security::Tls),
            ("ldaps://127.0.0.1:7", false, "ldaps://127.0.0.1:7", Security::Tls),
            ("ldap://dc1.example.test/", false, "ldap://dc1.example.test:389", Security::StartTls),
            ("ldap://localhost.example.test", false, "ldap://localhost.example.test:389", Security::StartTls),
            ("ldap://localhost:7", true, "ldap://localhost:7", Security::StartTls),
            ("ldap://localhost", false, "ldap://localhost:389", Security::Clear),
            ("ldap://127.0.0.9:7", false, "ldap://127.0.0.9:7", Security::Clear),
            ("ldap://[::1]", false, "ldap://[::1]:389", Security::Clear),
        ] {
            assert_eq!(parse(text, trusts), Ok((url.to_owned(), security)), "{text}");
        }
        for wrong in [
            "dc1.example.test",
            "http://dc1.example.test",
            "ldapi://%2Frun%2Fldapi",
            "ldap://",
            "ldap://me@localhost",
            "ldap://localhost/dc=example",
            "ldap://localhost?x",
        ] {
            assert!(parse(wrong, false).is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_server_that_is_away_is_tried_by_one_at_a_time_until_it_is_back() {
        let server = Server::parse("ldap://localhost", false).unwrap();
        let (first, second) = (server.attempt().unwrap(), server.attempt().unwrap());
        first.failed("test");
        let third = server.attempt().unwrap();
        assert!(server.attempt().is_none());
        drop(second);
        assert!(server.attempt().is_none(), "only the one that tries it again ends that");
        drop(third);
        server.attempt().unwrap().succeeded();
        let _both = (server.attempt().unwrap(), server.attempt().unwrap());
    }
}
