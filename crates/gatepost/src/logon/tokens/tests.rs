mod rotation;

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{self as sign, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _};
use aws_lc_rs::{hmac, rand, rsa};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use proto::logon::{Credentials, ExtendedProtection, Mechanism, Secret, Verdict};
use serde_json::{Value, json};
use store::memory::Memory;
use store::{Address, Directory as _, NewAccount, Source};

use super::super::{Hashing, Logon, Vault};
use super::*;
use crate::connection::{Client, Protocol};

const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "http://127.0.0.1:9";

/// A provider's private key.
enum Key {
    Rsa(rsa::KeyPair),
    P256(EcdsaKeyPair),
    P384(EcdsaKeyPair),
    Ed(Ed25519KeyPair),
}

impl Key {
    fn rsa() -> Self {
        Self::Rsa(rsa::KeyPair::generate(rsa::KeySize::Rsa2048).unwrap())
    }

    fn all() -> [Self; 4] {
        [
            Self::rsa(),
            Self::P256(EcdsaKeyPair::generate(&sign::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap()),
            Self::P384(EcdsaKeyPair::generate(&sign::ECDSA_P384_SHA384_FIXED_SIGNING).unwrap()),
            Self::Ed(Ed25519KeyPair::generate().unwrap()),
        ]
    }

    /// The public part as the provider shows it (RFC 7517).
    fn shown(&self, kid: &str) -> Value {
        let point = |curve: &str, octets: &[u8]| {
            let (x, y) = octets[1..].split_at(octets.len() / 2);
            json!({"kty": "EC", "crv": curve, "x": encoded(x), "y": encoded(y), "kid": kid})
        };
        match self {
            Self::Rsa(key) => json!({"kty": "RSA", "n": encoded(&modulus(key)), "e": "AQAB", "kid": kid, "use": "sig"}),
            Self::P256(key) => point("P-256", key.public_key().as_ref()),
            Self::P384(key) => point("P-384", key.public_key().as_ref()),
            Self::Ed(key) => {
                json!({"kty": "OKP", "crv": "Ed25519", "x": encoded(key.public_key().as_ref()), "kid": kid})
            }
        }
    }

    fn algorithms(&self) -> &[&str] {
        match self {
            Self::Rsa(_) => &["RS256", "RS384", "RS512", "PS256"],
            Self::P256(_) => &["ES256"],
            Self::P384(_) => &["ES384"],
            Self::Ed(_) => &["EdDSA"],
        }
    }

    fn sign(&self, algorithm: &str, message: &[u8]) -> Vec<u8> {
        let random = rand::SystemRandom::new();
        match self {
            Self::Rsa(key) => {
                let padding: &dyn sign::RsaEncoding = match algorithm {
                    "RS384" => &sign::RSA_PKCS1_SHA384,
                    "RS512" => &sign::RSA_PKCS1_SHA512,
                    "PS256" => &sign::RSA_PSS_SHA256,
                    "PS512" => &sign::RSA_PSS_SHA512,
                    _ => &sign::RSA_PKCS1_SHA256,
                };
                let mut signature = vec![0; key.public_modulus_len()];
                key.sign(padding, &random, message, &mut signature).unwrap();
                signature
            }
            Self::P256(key) | Self::P384(key) => key.sign(&random, message).unwrap().as_ref().to_vec(),
            Self::Ed(key) => key.sign(message).as_ref().to_vec(),
        }
    }

    fn token(&self, header: Value, claims: &Value) -> String {
        let message = message(&header, claims);
        let signature = self.sign(header["alg"].as_str().unwrap(), message.as_bytes());
        format!("{message}.{}", encoded(&signature))
    }
}

/// Out of `RSAPublicKey` (RFC 8017 §A.1.1), as 2048 bits have it.
fn modulus(key: &rsa::KeyPair) -> Vec<u8> {
    key.public_key().as_ref()[9..9 + 256].to_vec()
}

fn encoded(octets: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(octets)
}

fn message(header: &Value, claims: &Value) -> String {
    format!("{}.{}", encoded(header.to_string().as_bytes()), encoded(claims.to_string().as_bytes()))
}

fn claims() -> Value {
    json!({"iss": ISSUER, "aud": "mail", "exp": NOW + 600, "scope": "imap", "email": "ann@example.test"})
}

fn settings() -> OpenIdSettings {
    let mut settings = OpenIdSettings::load(&store::SettingsMap::new()).unwrap();
    settings.issuer = ISSUER.into();
    settings.audience = "mail".into();
    settings.scope = "imap".into();
    settings
}

/// What is taken of a provider with these keys.
fn tokens(keys: &[Value]) -> Tokens {
    let tokens = Tokens::new(&settings()).unwrap();
    let Way::Keys(kept) = &tokens.provider.as_ref().unwrap().way else { panic!() };
    kept.put(keys.iter().map(|key| serde_json::from_value(key.clone()).unwrap()).collect(), Instant::now());
    tokens
}

async fn whose(tokens: &Tokens, token: &str) -> Result<String, Fault> {
    tokens.whose(token, NOW, Instant::now()).await
}

/// Why the token is refused.
async fn refusal(tokens: &Tokens, token: &str) -> String {
    match whose(tokens, token).await {
        Err(Fault::Refused(reason)) => reason.into_owned(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn a_token_is_taken_by_every_algorithm_that_is_allowed() {
    for key in Key::all() {
        let tokens = tokens(&[Key::rsa().shown("other"), key.shown("a")]);
        for algorithm in key.algorithms() {
            for header in [json!({"alg": algorithm, "kid": "a"}), json!({"alg": algorithm, "typ": "at+jwt"})] {
                let token = key.token(header, &claims());
                assert_eq!(whose(&tokens, &token).await, Ok("ann@example.test".into()), "{algorithm}");
            }
        }
    }
}

#[tokio::test]
async fn what_nobody_signed_or_could_have_signed_is_refused() {
    let key = Key::rsa();
    let Key::Rsa(pair) = &key else { panic!() };
    let tokens = tokens(&[key.shown("a"), json!({"kty": "oct", "k": "c2VjcmV0", "kid": "secret"})]);
    for header in [json!({"alg": "none"}), json!({"alg": "None", "kid": "a"}), json!({"alg": "none", "kid": "secret"})]
    {
        let unsigned = message(&header, &claims());
        for token in [unsigned.clone(), format!("{unsigned}."), format!("{unsigned}.AAAA")] {
            assert!(refusal(&tokens, &token).await.contains("no JSON Web Token"), "{token}");
        }
    }
    // The public key is no secret (RFC 8725 §2.1), nor is a secret among public keys.
    for secret in [pair.public_key().as_ref(), &modulus(pair), b"secret"] {
        for kid in ["a", "secret"] {
            let message = message(&json!({"alg": "HS256", "kid": kid}), &claims());
            let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret), message.as_bytes());
            let token = format!("{message}.{}", encoded(tag.as_ref()));
            assert_eq!(refusal(&tokens, &token).await, "tokens signed by HS256 are not taken");
        }
    }
    let token = key.token(json!({"alg": "PS512", "kid": "a"}), &claims());
    assert_eq!(refusal(&tokens, &token).await, "tokens signed by PS512 are not taken");
}

#[tokio::test]
async fn another_key_or_another_payload_is_refused() {
    let key = Key::rsa();
    let tokens = tokens(&[key.shown("a")]);
    let header = json!({"alg": "RS256", "kid": "a"});
    let good = key.token(header.clone(), &claims());
    assert!(whose(&tokens, &good).await.is_ok());
    let forged = Key::rsa().token(header.clone(), &claims());
    assert!(refusal(&tokens, &forged).await.contains("InvalidSignature"));
    let mut other = claims();
    other["email"] = "bob@example.test".into();
    let tampered = format!("{}.{}", message(&header, &other), good.rsplit('.').next().unwrap());
    assert!(refusal(&tokens, &tampered).await.contains("InvalidSignature"));
    let unknown = key.token(json!({"alg": "RS256", "kid": "b"}), &claims());
    assert_eq!(refusal(&tokens, &unknown).await, "the provider has no such key (kid)");
    let critical = key.token(json!({"alg": "RS256", "kid": "a", "crit": ["exp"]}), &claims());
    assert!(refusal(&tokens, &critical).await.contains("crit"));
    for end in 0..good.len() {
        assert!(matches!(whose(&tokens, &good[..end]).await, Err(Fault::Refused(_))), "{end}");
    }
}

#[tokio::test]
async fn a_key_verifies_only_what_it_is_for() {
    let key = Key::rsa();
    for (name, value) in [("use", json!("enc")), ("key_ops", json!(["encrypt"])), ("alg", json!("RS512"))] {
        let mut shown = key.shown("a");
        shown["use"] = Value::Null;
        shown[name] = value;
        let tokens = tokens(&[shown]);
        let token = key.token(json!({"alg": "RS256", "kid": "a"}), &claims());
        assert_eq!(refusal(&tokens, &token).await, "the provider has no such key (kid)", "{name}");
    }
    let key = Key::P256(EcdsaKeyPair::generate(&sign::ECDSA_P256_SHA256_FIXED_SIGNING).unwrap());
    let tokens = tokens(&[key.shown("a")]);
    for algorithm in ["RS256", "ES384", "EdDSA"] {
        let token = key.token(json!({"alg": algorithm, "kid": "a"}), &claims());
        assert!(matches!(whose(&tokens, &token).await, Err(Fault::Refused(_))), "{algorithm}");
    }
}

#[tokio::test]
async fn what_a_token_claims_is_held_to_the_settings() {
    let key = Key::rsa();
    let tokens = tokens(&[key.shown("a")]);
    for (name, value, why) in [
        ("iss", json!("http://127.0.0.1:10"), "iss"),
        ("aud", json!("calendar"), "aud"),
        ("exp", json!(NOW - 60), "expired"),
        ("nbf", json!(NOW + 61), "not valid yet"),
        ("scope", json!("openid"), "scope"),
        ("email", json!("ann"), "UserClaim"),
    ] {
        let mut claims = claims();
        claims[name] = value;
        let token = key.token(json!({"alg": "RS256", "kid": "a"}), &claims);
        let reason = refusal(&tokens, &token).await;
        assert!(reason.contains(why) && !reason.contains(&token), "{name}: {reason}");
    }
}

#[tokio::test]
async fn a_provider_that_was_never_reached_makes_nothing_of_a_token() {
    let tokens = Tokens::new(&settings()).unwrap();
    let token = Key::rsa().token(json!({"alg": "RS256", "kid": "a"}), &claims());
    for _ in 0..2 {
        assert!(matches!(whose(&tokens, &token).await, Err(Fault::Unavailable(_))));
    }
    assert!(refusal(&tokens, "").await.contains("no token"));
    assert!(refusal(&tokens, "opaque").await.contains("no JSON Web Token"));
    assert!(refusal(&Tokens::default(), &token).await.contains("no provider"));
}

#[test]
fn settings_that_would_take_too_much_are_refused() {
    assert!(!Tokens::new(&OpenIdSettings { issuer: String::new(), ..settings() }).unwrap().are_taken());
    for (wrong, why) in [
        (OpenIdSettings { audience: String::new(), ..settings() }, "Audience"),
        (OpenIdSettings { issuer: "http://id.example.test".into(), ..settings() }, "Issuer"),
        (OpenIdSettings { introspection_endpoint: "http://id.example.test".into(), ..settings() }, "Introspection"),
        (OpenIdSettings { certificate_authority: "/nowhere".into(), ..settings() }, "CertificateAuthority"),
        (
            OpenIdSettings { introspection_endpoint: ISSUER.into(), client_id: "gatepost".into(), ..settings() },
            "ClientSecretFile",
        ),
    ] {
        let error = Tokens::new(&wrong).err().unwrap();
        assert!(error.contains(why), "{error}");
    }
}

const HERE: IpAddr = IpAddr::V4(Ipv4Addr::new(127, 0, 0, 2));

/// Somebody at whose door tokens with these keys are taken: Ann with two addresses and Bob, neither with a password.
async fn logon(keys: &[Value], failures: u32) -> Logon {
    let store = Arc::new(Memory::new());
    store.add_domain("example.test").await.unwrap();
    for (local, aliases) in [("ann", vec!["ann.b@example.test"]), ("bob", Vec::new())] {
        let address = Address::parse(&format!("{local}@example.test")).unwrap();
        let aliases = aliases.into_iter().map(|alias| Address::parse(alias).unwrap()).collect();
        store
            .create(NewAccount { address, aliases, source: Source::Local, password: None, quota: None, created: 0 })
            .await
            .unwrap();
    }
    let hashing = Hashing::new(1, Vault::fleeting().unwrap(), 4096).unwrap();
    let logon = Logon::new(store, hashing, failures, Duration::from_secs(600), 2, "mail.example.test");
    logon.with_tokens(tokens(keys))
}

/// A log-on with a token for `email` that is good now, by a client that names `user`.
async fn attempt(logon: &Logon, key: &Key, email: &str, user: Option<&str>) -> Result<String, Verdict> {
    let mut claims = claims();
    claims["email"] = email.into();
    claims["exp"] = (crate::clock::since_1970().as_secs() + 600).into();
    let token = Secret::new(key.token(json!({"alg": "RS256", "kid": "a"}), &claims));
    let client = Client {
        remote: HERE,
        protocol: Protocol::Imap,
        session: 1,
        max_connections: 99,
        protection: ExtendedProtection::None,
        end_point: None,
        tls: None,
        addresses: Vec::new(),
    };
    let named = user.map(str::to_owned);
    let mut verdicts = Vec::new();
    for (authorization, user, mechanism) in
        [(named.clone(), None, Mechanism::OAuthBearer), (None, named, Mechanism::XOAuth2)]
    {
        let credentials = Credentials::Token { authorization, user, token: token.clone(), mechanism };
        let logged_on = logon.verify(&client, &credentials).await;
        verdicts.push(logged_on.map(|logged_on| logged_on.account.address.as_str().to_owned()));
    }
    assert_eq!(verdicts[0], verdicts[1]);
    verdicts.remove(0)
}

#[tokio::test]
async fn a_token_opens_the_mailbox_of_its_own_user_alone() {
    let key = Key::rsa();
    let logon = logon(&[key.shown("a")], 60).await;
    for (email, user) in [
        ("ann@example.test", Some("ann@example.test")),
        ("Ann@Example.test", Some("ann")),
        ("ann.b@example.test", Some("ann@example.test")),
        ("ann@example.test", Some("ann.b@example.test")),
        ("ann@example.test", None),
    ] {
        assert_eq!(attempt(&logon, &key, email, user).await, Ok("ann@example.test".into()), "{email} {user:?}");
    }
    for (email, user) in [
        ("bob@example.test", Some("ann@example.test")),
        ("ann@example.test", Some("bob@example.test")),
        ("ann@other.test", Some("ann@example.test")),
        ("ann@example.test", Some("carl@example.test")),
        ("carl@example.test", None),
        ("@", None),
    ] {
        assert_eq!(attempt(&logon, &key, email, user).await, Err(Verdict::Refused), "{email} {user:?}");
    }
}

#[tokio::test]
async fn refused_tokens_count_as_failures() {
    let (key, other) = (Key::rsa(), Key::rsa());
    let logon = logon(&[key.shown("a")], 2).await;
    assert_eq!(attempt(&logon, &other, "ann@example.test", None).await, Err(Verdict::Refused));
    let throttled = Err(Verdict::Throttled);
    assert_eq!(attempt(&logon, &key, "ann@example.test", None).await, throttled);
}
