//! Log-on by tokens of an OpenID provider of the test's own: curl by OAUTHBEARER, Python by XOAUTH2.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::process::Command;
use std::sync::{Arc, Mutex};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

use crate::curl::{self, LOG_ON_DENIED, curl};
use crate::{Site, client, run};

/// Answers discovery, shows its key, and says of tokens whether they are good: in clear, on this machine.
pub struct Provider {
    issuer: String,
    key: Arc<EcdsaKeyPair>,
    /// The targets of all requests.
    asked: Arc<Mutex<Vec<String>>>,
}

impl Provider {
    pub fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let key = Arc::new(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
        let provider = Self { issuer, key, asked: Arc::default() };
        let (issuer, key, asked) = (provider.issuer.clone(), provider.key.clone(), provider.asked.clone());
        std::thread::spawn(move || {
            for socket in listener.incoming() {
                // One that breaks off says so in the test's own assertions.
                let _ = answer(socket.unwrap(), &issuer, &key, &asked);
            }
        });
        provider
    }

    /// What it issues to Ann, with one member replaced.
    pub fn token(&self, name: &str, value: Value) -> String {
        let expires = SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs() + 600;
        let mut claims = json!({
            "iss": self.issuer, "aud": ["gatepost"], "exp": expires, "scope": "mail", "email": "ann@example.test",
        });
        claims[name] = value;
        let parts = [json!({"alg": "ES256", "kid": "1"}), claims];
        let message = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = self.key.sign(&aws_lc_rs::rand::SystemRandom::new(), message.as_bytes()).unwrap();
        format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    fn times_asked(&self, target: &str) -> usize {
        self.asked.lock().unwrap().iter().filter(|asked| *asked == target).count()
    }

    /// A server that takes its tokens.
    pub fn site(&self, more: &[&str]) -> Site {
        let settings = [
            "--set",
            &format!("OpenId.Issuer={}", self.issuer),
            "--set",
            "OpenId.Audience=gatepost",
            "--set",
            "OpenId.Scope=mail",
        ];
        Site::with(&[&settings, more].concat())
    }
}

fn answer(socket: TcpStream, issuer: &str, key: &EcdsaKeyPair, asked: &Mutex<Vec<String>>) -> std::io::Result<()> {
    let mut stream = BufReader::new(socket);
    let mut lines = Vec::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line)?;
        if line.trim_end().is_empty() {
            break;
        }
        lines.push(line.trim_end().to_owned());
    }
    let field = |name: &str| {
        let mut fields = lines.iter().filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value.to_owned())
    };
    let length = field("content-length").map_or(0, |length| length.parse().unwrap());
    let mut form = vec![0; length];
    stream.read_exact(&mut form)?;
    let form = String::from_utf8(form).unwrap();
    let target = lines[0].split(' ').nth(1).unwrap().to_owned();
    let body = match target.as_str() {
        "/.well-known/openid-configuration" => json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")}),
        "/keys" => {
            let (x, y) = key.public_key().as_ref()[1..].split_at(32);
            let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
            json!({"keys": [{"kty": "new"}, {"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "1", "use": "sig"}]})
        }
        "/introspect" => {
            let password = format!("Basic {}", STANDARD.encode("gatepost:a%20secret"));
            assert_eq!(field("authorization"), Some(password));
            let user = form.strip_prefix("token=opaque-").and_then(|form| form.split('&').next());
            match user {
                Some("nobody") | None => json!({"active": false}),
                Some(user) => json!({
                    "active": true, "aud": "gatepost", "scope": "mail", "email": format!("{user}@example.test"),
                }),
            }
        }
        _ => Value::Null,
    };
    asked.lock().unwrap().push(target);
    let body = body.to_string();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.get_mut().write_all(format!("{head}{body}").as_bytes())
}

/// Python's own clients with Ann's name and a token, by XOAUTH2.
fn python(site: &Site, protocol: &str, port: &str, token: &str) -> Option<Command> {
    let mut python = client("python3")?;
    let script = site.scratch.file("xoauth2.py", include_str!("xoauth2.py"));
    python.env("TOKEN", token).arg(script).args([protocol, &site.port(port).to_string(), &site.authority()]);
    python.arg("ann@example.test");
    Some(python)
}

/// Ann reads by POP3 and IMAP and sends by SMTP.
fn reads_and_sends(site: &Site, token: &str) -> Option<()> {
    site.deliver("ann@example.test", "hello");
    for (protocol, port) in [("pop3", "pop3s"), ("imap", "imaps"), ("smtp", "submissions")] {
        let start = site.server.log().len();
        let said = run(&mut python(site, protocol, port, token)?);
        assert!(protocol == "smtp" || said.contains("Subject: hello"), "{protocol}: {said}");
        site.logged_on(start, protocol, "XOAUTH2", true);
    }
    let start = site.server.log().len();
    run(&mut curl(site, "submissions", &curl::token(token))?);
    site.logged_on(start, "smtp", "OAUTHBEARER", true);
    assert_eq!(site.inbox("bob").iter().filter(|message| message.contains("with ESMTPSA")).count(), 2);
    assert!(!site.server.log().contains(token));
    Some(())
}

#[test]
fn clients_log_on_by_a_token_that_the_provider_signed() {
    let provider = Provider::start();
    let site = provider.site(&[]);
    if reads_and_sends(&site, &provider.token("email_verified", true.into())).is_some() {
        assert_eq!(provider.times_asked("/keys"), 1, "its keys are kept");
    }
}

#[test]
fn clients_log_on_by_a_token_that_the_provider_is_asked_about() {
    let provider = Provider::start();
    let secret = crate::Scratch::new();
    let file = secret.file("secret", "a secret\n");
    let (endpoint, file) = (format!("{}/introspect", provider.issuer), file.display().to_string());
    let settings =
        [("IntrospectionEndpoint", endpoint.as_str()), ("ClientId", "gatepost"), ("ClientSecretFile", file.as_str())]
            .map(|(name, value)| format!("OpenId.{name}={value}"));
    let [endpoint, id, file] = &settings;
    let site = provider.site(&["--set", endpoint, "--set", id, "--set", file]);
    let Some(()) = reads_and_sends(&site, "opaque-ann") else { return };
    assert_eq!(provider.times_asked("/introspect"), 1, "a good token is remembered for a while");
    for (token, why) in [("opaque-nobody", "not active"), ("opaque-bob", "another user")] {
        assert!(!python(&site, "imap", "imaps", token).unwrap().output().unwrap().status.success());
        site.server.logged(&["log-on", "ann@example.test", "XOAUTH2", "granted=false", why]);
    }
}

#[test]
fn a_token_that_is_refused_ends_in_an_error_and_the_log_says_why() {
    let provider = Provider::start();
    let site = provider.site(&[]);
    for (name, value, why) in [
        ("aud", json!("calendar"), "OpenId.Audience"),
        ("exp", json!(1_000_000_000), "expired"),
        ("scope", json!("openid"), "OpenId.Scope"),
        ("email", json!("bob@example.test"), "another user"),
    ] {
        let token = provider.token(name, value);
        for (protocol, port) in [("pop3", "pop3s"), ("imap", "imaps"), ("smtp", "submissions")] {
            let Some(mut curl) = curl(&site, port, &curl::token(&token)) else { return };
            let output = curl.output().unwrap();
            assert_eq!(output.status.code(), Some(LOG_ON_DENIED), "{protocol} {name}: {output:?}");
            let Some(mut python) = python(&site, protocol, port, &token) else { return };
            assert!(!python.output().unwrap().status.success(), "{protocol} {name}");
            for mechanism in ["OAUTHBEARER", "XOAUTH2"] {
                let protocol = format!("protocol=\"{protocol}\"");
                site.server.logged(&["log-on", &protocol, mechanism, "granted=false", why]);
            }
        }
    }
    // What goes over the wire, as RFC 7628 §3.2.3 has it: an error, the client's answer, the end.
    let message = format!("n,,\x01auth=Bearer {}\x01\x01", provider.token("scope", json!("openid")));
    let mut smtp = site.server.connect_tls("submissions");
    assert!(smtp.line().starts_with("220"));
    let mut offered = smtp.ask("EHLO client.test");
    while !offered.starts_with("250 ") {
        let line = smtp.line();
        assert!(!line.starts_with("250-AUTH") || line.contains("OAUTHBEARER XOAUTH2"), "{line}");
        offered = line;
    }
    let challenge = smtp.ask(&format!("AUTH OAUTHBEARER {}", STANDARD.encode(message)));
    let error: Value =
        serde_json::from_slice(&STANDARD.decode(challenge.strip_prefix("334 ").unwrap()).unwrap()).unwrap();
    let configuration = format!("{}/.well-known/openid-configuration", provider.issuer);
    assert_eq!(error, json!({"status": "invalid_token", "scope": "mail", "openid-configuration": configuration}));
    assert!(smtp.ask("AQ==").starts_with("535 5.7.3"));
    assert!(!site.server.log().contains("Bearer"));
}

#[test]
fn a_provider_that_is_away_is_no_fault_of_the_client() {
    let nobody = TcpListener::bind("127.0.0.1:0").unwrap();
    let issuer = format!("http://{}", nobody.local_addr().unwrap());
    drop(nobody);
    let site = Provider { issuer, ..Provider::start() }.site(&[]);
    let token = Provider::start().token("aud", json!("gatepost"));
    let message = STANDARD.encode(format!("user=ann@example.test\x01auth=Bearer {token}\x01\x01"));
    let mut smtp = site.server.connect_tls("submissions");
    assert!(smtp.line().starts_with("220"));
    smtp.send("EHLO client.test\r\n");
    while !smtp.line().starts_with("250 ") {}
    assert!(smtp.ask(&format!("AUTH XOAUTH2 {message}")).starts_with("454"));
    site.server.logged(&["log-on", "XOAUTH2", "granted=false", "could not be asked"]);
    // In clear there is nothing to be had for a token.
    let mut pop3 = site.server.connect("pop3");
    assert!(pop3.line().starts_with("+OK"));
    assert!(pop3.ask("AUTH XOAUTH2").starts_with("-ERR"));
}
