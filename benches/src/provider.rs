//! An OpenID provider: signs a token, and shows its key to whoever asks, in clear on loopback.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde_json::{Value, json};

pub const AUDIENCE: &str = "gatepost";

pub struct Provider {
    pub issuer: String,
    key: EcdsaKeyPair,
}

impl Provider {
    pub fn start() -> Result<Self, Box<dyn std::error::Error>> {
        let listener = TcpListener::bind("127.0.0.1:0")?;
        let issuer = format!("http://{}", listener.local_addr()?);
        let key = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)?;
        let point = key.public_key().as_ref();
        // SEC 1 §2.3.3: an octet, and both coordinates.
        let [x, y] = [1..33, 33..65].map(|range| URL_SAFE_NO_PAD.encode(point.get(range).unwrap_or_default()));
        let keys = json!({"keys": [{"kty": "EC", "crv": "P-256", "x": x, "y": y, "kid": "default", "use": "sig"}]});
        let configuration = json!({"issuer": issuer, "jwks_uri": format!("{issuer}/keys")});
        std::thread::spawn(move || {
            for socket in listener.incoming().flatten() {
                // Who does not get its answer says so itself.
                let _ = answer(socket, &configuration, &keys);
            }
        });
        Ok(Self { issuer, key })
    }

    /// For this user, for an hour: a JSON Web Token (RFC 7519), signed by ES256.
    pub fn token(&self, user: &str) -> Result<String, Box<dyn std::error::Error>> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
        let header = json!({"typ": "JWT", "alg": "ES256", "kid": "default"});
        let claims = json!({
            "iss": self.issuer, "aud": AUDIENCE, "sub": user, "email": user, "iat": now, "exp": now + 3600,
        });
        let message = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string())).join(".");
        let signature = self.key.sign(&SystemRandom::new(), message.as_bytes())?;
        Ok(format!("{message}.{}", URL_SAFE_NO_PAD.encode(signature)))
    }

    /// Its key as PEM (RFC 7468 §13).
    pub fn pem(&self) -> Result<String, Box<dyn std::error::Error>> {
        let der: PublicKeyX509Der<'_> = self.key.public_key().as_der()?;
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der.as_ref())))
    }
}

fn answer(socket: TcpStream, configuration: &Value, keys: &Value) -> io::Result<()> {
    let mut stream = BufReader::new(socket);
    let mut request = String::new();
    while !request.ends_with("\r\n\r\n") && stream.read_line(&mut request)? > 0 {}
    let body = if request.contains(" /keys ") { keys } else { configuration }.to_string();
    let head = format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    stream.get_mut().write_all(format!("{head}{body}").as_bytes())
}
