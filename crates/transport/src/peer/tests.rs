use store::{AccountId, Address, ClientAccess, Source};

use super::*;
use crate::PermissionGroup;

pub(crate) fn account() -> Arc<Account> {
    let address = |text| Address::parse(text).unwrap();
    Arc::new(Account {
        id: AccountId(1),
        address: address("ann@example.test"),
        aliases: vec![address("alias@example.test")],
        source: Source::Local,
        password: None,
        app_passwords: Vec::new(),
        access: ClientAccess::default(),
        full_access: Vec::new(),
        quota: None,
        created: 0,
    })
}

pub(crate) fn reverse(path: &str) -> ReversePath {
    match proto::smtp::Command::parse(format!("MAIL FROM:{path}").as_bytes()) {
        Ok(proto::smtp::Command::Mail(mail)) => mail.from,
        other => panic!("{path}: {other:?}"),
    }
}

pub(crate) fn forward(path: &str) -> ForwardPath {
    match proto::smtp::Command::parse(format!("RCPT TO:{path}").as_bytes()) {
        Ok(proto::smtp::Command::Rcpt(to)) => to,
        other => panic!("{path}: {other:?}"),
    }
}

fn domains() -> [AcceptedDomain; 2] {
    let domain = |name: &str, default| AcceptedDomain { name: name.to_owned(), default };
    [domain("other.test", false), domain("example.test", true)]
}

fn stranger() -> Peer {
    Peer { connector: Arc::new(ReceiveConnector::default_connector(&[])), user: None, is_private: false }
}

fn stranger_at_client() -> Peer {
    Peer { connector: Arc::new(ReceiveConnector::client_connector(&[])), user: None, is_private: false }
}

fn ann() -> Peer {
    Peer { user: Some(account()), ..stranger_at_client() }
}

fn sends(peer: &Peer, path: &str) -> String {
    peer.may_send(&reverse(path), &domains()).map_or_else(|refusal| refusal.reply.to_string(), |()| "ok".to_owned())
}

/// As the service looks up: the one account, or for roles nobody better.
fn receives(peer: &Peer, path: &str) -> String {
    let to = forward(path);
    let destination = Destination::of(&to, &domains());
    let found = destination.address().is_some_and(|address| has_address(&account(), address));
    let found = (found || destination.has_stand_in()).then(account);
    peer.may_receive(&to, &destination, found)
        .map_or_else(|refusal| refusal.reply.to_string(), |account| account.address.to_string())
}

#[test]
fn a_stranger_is_any_sender_but_one_of_ours() {
    for path in ["<>", "<a@elsewhere.test>", "<ann@sub.example.test>", "<ann@[127.0.0.1]>", "<\"a b\"@x.test>"] {
        assert_eq!(sends(&stranger(), path), "ok", "{path}");
    }
    for path in ["<ann@example.test>", "<nobody@EXAMPLE.test>", "<\"a b\"@other.test>", "<@x.test:ann@example.test>"] {
        let reply = "550 5.7.1 Anonymous client does not have permissions to send as this sender";
        assert_eq!(sends(&stranger(), path), reply, "{path}");
    }
}

#[test]
fn a_user_is_itself_or_nobody() {
    for path in ["<>", "<ann@example.test>", "<Ann@Example.test>", "<alias@example.test>", "<\"ann\"@example.test>"] {
        assert_eq!(sends(&ann(), path), "ok", "{path}");
    }
    for path in [
        "<boss@example.test>",
        "<ann@other.test>",
        "<ann@elsewhere.test>",
        "<ann@[127.0.0.1]>",
        "<\"ann@x\"@example.test>",
    ] {
        assert_eq!(sends(&ann(), path), "550 5.7.1 Client does not have permissions to send as this sender", "{path}");
    }
}

#[test]
fn who_may_not_submit_is_told_what_is_missing() {
    for path in ["<>", "<a@elsewhere.test>", "<ann@example.test>"] {
        assert_eq!(sends(&stranger_at_client(), path), "530 5.7.1 Client was not authenticated", "{path}");
    }
    let mut connector = ReceiveConnector::default_connector(&[]);
    connector.permission_groups = [PermissionGroup::AnonymousUsers].into();
    let refused = Peer { connector: Arc::new(connector), user: Some(account()), is_private: true };
    assert_eq!(sends(&refused, "<>"), "550 5.7.1 Client does not have permissions to submit to this server");
}

#[test]
fn a_refusal_names_connector_right_and_reason() {
    let refusal = stranger().may_send(&reverse("<ann@example.test>"), &domains()).unwrap_err();
    assert_eq!(
        refusal.to_string(),
        "connector Default: a stranger claims to be <ann@example.test> \
         (missing ms-Exch-SMTP-Accept-Authoritative-Domain-Sender)"
    );
}

#[test]
fn local_recipients_are_found_and_others_unknown() {
    for peer in [stranger(), ann()] {
        for path in [
            "<ann@example.test>",
            "<ANN@EXAMPLE.TEST>",
            "<alias@example.test>",
            "<\"ann\"@example.test>",
            "<postmaster>",
            "<Postmaster@Example.test>",
            "<postmaster@other.test>",
            "<abuse@example.test>",
            "<ABUSE@other.test>",
            "<@x.test,@y.test:ann@example.test>",
            "<\"post\\master\"@example.test>",
        ] {
            assert_eq!(receives(&peer, path), "ann@example.test", "{path}");
        }
        for path in ["<nobody@example.test>", "<ann@other.test>", "<\"a n\"@example.test>", "<hostmaster@example.test>"]
        {
            assert_eq!(receives(&peer, path), "550 5.1.1 User unknown", "{path}");
        }
    }
}

/// Ways that have opened relays: each names somebody outside, in whole or in disguise.
const RELAYS: [&str; 40] = [
    "<a@elsewhere.test>",
    "<A@ELSEWHERE.TEST>",
    "<\"a\"@elsewhere.test>",
    "<\"a b\"@elsewhere.test>",
    "<a@sub.example.test>",
    "<a@example.test.elsewhere.test>",
    "<a@example.testx>",
    "<a@xexample.test>",
    "<a@example>",
    "<a@test>",
    "<a@localhost>",
    "<a@[127.0.0.1]>",
    "<a@[192.0.2.1]>",
    "<a@[IPv6:::1]>",
    "<a@[IPv6:2001:db8::1]>",
    "<@example.test:a@elsewhere.test>",
    "<@example.test,@other.test:a@elsewhere.test>",
    "<@[127.0.0.1]:a@elsewhere.test>",
    "<@elsewhere.test:a@elsewhere.test>",
    "<postmaster@elsewhere.test>",
    "<abuse@elsewhere.test>",
    "<postmaster@[127.0.0.1]>",
    "<postmaster@localhost>",
    "<a%elsewhere.test@example.test>",
    "<a%elsewhere.test@[127.0.0.1]>",
    "<a%elsewhere.test@localhost>",
    "<\"a@elsewhere.test\"@example.test>",
    "<\"a@elsewhere.test\"@[127.0.0.1]>",
    "<\"a%elsewhere.test\"@example.test>",
    "<elsewhere.test!a@example.test>",
    "<\"elsewhere.test!a\"@example.test>",
    "<elsewhere.test!a@[127.0.0.1]>",
    "<a%elsewhere.test%example.test@other.test>",
    "<@example.test:a%elsewhere.test@example.test>",
    "<\"<a@elsewhere.test>\"@example.test>",
    "<\"a@elsewhere.test,ann\"@example.test>",
    "<\"|program\"@example.test>",
    "<\"/file\"@example.test>",
    "<\"ann@example.test\"@elsewhere.test>",
    "<ann@xn--exmple-cua.test>",
];

/// These are refused for their form.
const MALFORMED: [&str; 16] = [
    "<a@elsewhere.test@example.test>",
    "<a@example.test@elsewhere.test>",
    "<\"a@elsewhere.test\">",
    "<\"a\">",
    "<a%elsewhere.test>",
    "<elsewhere.test!a>",
    "a@elsewhere.test",
    "<a@elsewhere.test",
    "<a@elsewhere.test.>",
    "<a@elsewhere.test,ann@example.test>",
    "<@example.test>",
    "<>",
    "<a@elsewhere.test> <ann@example.test>",
    "<ann@example.test>a@elsewhere.test",
    "<a@example.test:a@elsewhere.test>",
    "< a@elsewhere.test>",
];

#[test]
fn nothing_is_relayed_in_whatever_disguise() {
    let at_default = Peer { user: Some(account()), ..stranger() };
    for path in RELAYS {
        for peer in [stranger(), stranger_at_client()] {
            let reply = receives(&peer, path);
            assert!(reply == "550 5.7.1 Unable to relay" || reply == "550 5.1.1 User unknown", "{path}: {reply}");
        }
        for peer in [ann(), at_default.clone()] {
            let reply = receives(&peer, path);
            assert!(
                reply.starts_with("550 5.7.1 Unable to relay: ") || reply == "550 5.1.1 User unknown",
                "{path}: {reply}"
            );
        }
    }
    for path in MALFORMED {
        assert!(proto::smtp::Command::parse(format!("RCPT TO:{path}").as_bytes()).is_err(), "{path}");
    }
}

#[test]
fn roles_without_any_mailbox_are_put_off() {
    let to = forward("<postmaster>");
    let refusal = stranger().may_receive(&to, &Destination::of(&to, &domains()), None).unwrap_err();
    assert!(refusal.reply.is_temporary());
    assert_eq!(Destination::of(&to, &[]), Destination::Outside);
}

#[test]
fn a_connector_that_requires_tls_takes_nothing_before_it() {
    let mut connector = ReceiveConnector::default_connector(&[]);
    connector.require_tls = true;
    let mut peer = Peer { connector: Arc::new(connector), ..stranger() };
    assert_eq!(sends(&peer, "<x@elsewhere.test>"), "530 5.7.0 Must issue a STARTTLS command first");
    peer.is_private = true;
    assert_eq!(sends(&peer, "<x@elsewhere.test>"), "ok");
}
