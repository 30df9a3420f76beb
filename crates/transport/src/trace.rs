//! The lines that delivery puts in front of a message.

use std::fmt::Write;
use std::net::IpAddr;

use mime::date::DateTime;
use proto::smtp::{ClientName, ForwardPath, ReversePath};
use store::Timestamp;

use crate::{AcceptId, HeaderWatch};

/// How a message came in. All text from the peer is of types that cannot hold what would bend a header.
#[derive(Clone, Copy, Debug)]
pub struct Trace<'a> {
    pub from: &'a ReversePath,
    pub client: Option<&'a ClientName>,
    /// Whether the client said EHLO.
    pub extended: bool,
    pub remote: IpAddr,
    /// Our own name.
    pub host: &'a str,
    /// Version and cipher suite of TLS; `None` in clear.
    pub tls: Option<(&'a str, &'a str)>,
    pub authenticated: bool,
    pub id: AcceptId,
    pub when: Timestamp,
}

impl Trace<'_> {
    /// The lines in front of the message for one recipient.
    pub fn prefix(&self, to: &ForwardPath, header: &HeaderWatch) -> Vec<u8> {
        let mut lines = String::with_capacity(512);
        // RFC 5321 §4.4: the server that makes the final delivery keeps the reverse path.
        add(&mut lines, format_args!("Return-Path: {}\r\n", self.from));
        let client = self.client.map_or("unknown", ClientName::as_str);
        add(&mut lines, format_args!("Received: from {client} ({})\r\n", literal(self.remote)));
        add(&mut lines, format_args!("\tby {} (Gatepost) with {}", self.host, self.protocol()));
        if let Some((version, cipher)) = self.tls {
            add(&mut lines, format_args!(" (version={version} cipher={cipher})"));
        }
        let date = DateTime::utc(self.when);
        add(&mut lines, format_args!("\r\n\tid {} for {to};\r\n\t{date}\r\n", self.id));
        // RFC 6409 §8.1 and §8.2: a submission may be completed; what others sent is left as it is.
        if self.authenticated && !header.has_date() {
            add(&mut lines, format_args!("Date: {date}\r\n"));
        }
        if self.authenticated && !header.has_message_id() {
            add(&mut lines, format_args!("Message-ID: <{}@{}>\r\n", self.id, self.host));
        }
        lines.into_bytes()
    }

    /// RFC 3848, which has no names for TLS without EHLO.
    fn protocol(&self) -> &'static str {
        match (self.extended, self.tls.is_some(), self.authenticated) {
            (false, _, _) => "SMTP",
            (true, false, false) => "ESMTP",
            (true, false, true) => "ESMTPA",
            (true, true, false) => "ESMTPS",
            (true, true, true) => "ESMTPSA",
        }
    }
}

fn add(lines: &mut String, text: std::fmt::Arguments<'_>) {
    // Writing to a String cannot fail.
    let _ = lines.write_fmt(text);
}

/// RFC 5321 §4.1.3.
fn literal(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("[{address}]"),
        IpAddr::V6(address) => format!("[IPv6:{address}]"),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::peer::tests::{forward, reverse};
    use crate::{Peer, ReceiveConnector};

    fn watch(message: &[u8]) -> HeaderWatch {
        let connector = Arc::new(ReceiveConnector::default_connector(&[]));
        let mut watch = HeaderWatch::new(&Peer { connector, user: None, is_private: false });
        watch.feed(message);
        watch
    }

    fn prefix(client: &str, tls: bool, authenticated: bool, message: &[u8]) -> String {
        let client = ClientName::parse(client.as_bytes()).unwrap();
        let trace = Trace {
            from: &reverse("<a@b.test>"),
            client: Some(&client),
            extended: true,
            remote: "::ffff:192.0.2.1".parse().unwrap(),
            host: "mx.test",
            tls: tls.then_some(("TLS1.3", "TLS_AES_256_GCM_SHA384")),
            authenticated,
            id: AcceptId::new(1, 2),
            when: 0,
        };
        String::from_utf8(trace.prefix(&forward("<ann@example.test>"), &watch(message))).unwrap()
    }

    #[test]
    fn a_submission_is_traced_and_completed() {
        assert_eq!(
            prefix("client.test", true, true, b"Subject: x\r\n\r\n"),
            "Return-Path: <a@b.test>\r\n\
             Received: from client.test ([192.0.2.1])\r\n\
             \tby mx.test (Gatepost) with ESMTPSA (version=TLS1.3 cipher=TLS_AES_256_GCM_SHA384)\r\n\
             \tid 000000000100000000000002 for <ann@example.test>;\r\n\
             \tThu, 1 Jan 1970 00:00:00 +0000\r\n\
             Date: Thu, 1 Jan 1970 00:00:00 +0000\r\n\
             Message-ID: <000000000100000000000002@mx.test>\r\n"
        );
        let complete = prefix("c", true, true, b"Date: x\r\nMessage-ID: y\r\n\r\n");
        assert!(!complete.contains("Date:") && !complete.contains("Message-ID"));
    }

    #[test]
    fn what_strangers_send_is_not_completed() {
        let lines = prefix("c", false, false, b"\r\n");
        assert!(
            lines.contains(" with ESMTP\r\n") && !lines.contains("Date:") && !lines.contains("Message-ID"),
            "{lines}"
        );
        assert!(prefix("c", true, false, b"").contains(" with ESMTPS ("));
    }

    #[test]
    fn nothing_a_client_calls_itself_bends_the_header() {
        let lines = prefix("x\r\nEvil:\u{1b}(y;", false, false, b"");
        assert!(lines.contains("Received: from x??Evil:??y? ([192.0.2.1])\r\n"), "{lines}");
        for line in lines.split("\r\n").filter(|line| !line.is_empty()) {
            assert!(["Return-Path: ", "Received: ", "\t"].iter().any(|start| line.starts_with(start)), "{line}");
        }
    }
}
