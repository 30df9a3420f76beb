//! A provider that changes its keys, and one that goes away.

use std::sync::Mutex;

use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::super::super::lock;
use super::*;

/// Answers discovery and shows its keys, as long as it is not dropped.
struct Provider {
    issuer: String,
    shown: Arc<Mutex<Shown>>,
    task: JoinHandle<()>,
}

#[derive(Default)]
struct Shown {
    issuer: String,
    keys: Vec<Value>,
    times: usize,
}

impl Provider {
    async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let issuer = format!("http://{}", listener.local_addr().unwrap());
        let shown = Arc::new(Mutex::new(Shown { issuer: issuer.clone(), ..Shown::default() }));
        let shows = shown.clone();
        let task = tokio::spawn(async move {
            loop {
                let mut stream = BufReader::new(listener.accept().await.unwrap().0);
                let mut request = String::new();
                while !request.ends_with("\r\n\r\n") {
                    stream.read_line(&mut request).await.unwrap();
                }
                let body = lock(&shows).answer(&request).to_string();
                let answer = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{body}", body.len());
                stream.get_mut().write_all(answer.as_bytes()).await.unwrap();
            }
        });
        Self { issuer, shown, task }
    }

    fn tokens(&self) -> Tokens {
        Tokens::new(&OpenIdSettings { issuer: self.issuer.clone(), ..settings() }).unwrap()
    }

    fn shows(&self, keys: Vec<Value>) {
        lock(&self.shown).keys = keys;
    }

    /// How often its keys were asked for.
    fn times(&self) -> usize {
        lock(&self.shown).times
    }

    fn token(&self, key: &Key, kid: &str) -> String {
        let mut claims = claims();
        claims["iss"] = self.issuer.as_str().into();
        key.token(json!({"alg": "RS256", "kid": kid}), &claims)
    }
}

impl Shown {
    fn answer(&mut self, request: &str) -> Value {
        if request.starts_with("GET /.well-known/openid-configuration ") {
            return json!({"issuer": self.issuer, "jwks_uri": format!("{}/keys", self.issuer)});
        }
        assert!(request.starts_with("GET /keys "), "{request}");
        self.times += 1;
        json!({"keys": self.keys})
    }
}

#[tokio::test]
async fn new_keys_are_found_and_old_ones_do_while_the_provider_is_away() {
    let provider = Provider::start().await;
    let (old, new) = (Key::rsa(), Key::rsa());
    let (by_old, by_new) = (provider.token(&old, "old"), provider.token(&new, "new"));
    let tokens = provider.tokens();
    let start = Instant::now();
    let whose = async |token: &str, seconds| tokens.whose(token, NOW, start + Duration::from_secs(seconds)).await;
    let ann = || Ok("ann@example.test".to_owned());
    provider.shows(vec![old.shown("old"), json!({"kty": "of the future"})]);
    assert_eq!(whose(&by_old, 0).await, ann());
    assert_eq!(whose(&by_old, 3599).await, ann());
    assert_eq!(provider.times(), 1);
    // A stranger's key makes nobody ask more often, a new one is found.
    assert!(matches!(whose(&by_new, 29).await, Err(Fault::Refused(_))));
    assert_eq!(provider.times(), 1);
    provider.shows(vec![old.shown("old"), new.shown("new")]);
    assert_eq!(whose(&by_new, 30).await, ann());
    assert_eq!(provider.times(), 2);
    // After an hour the keys are asked for again: one that is gone is good no more.
    provider.shows(vec![new.shown("new")]);
    assert_eq!(whose(&by_new, 30 + 3600).await, ann());
    assert!(matches!(whose(&by_old, 30 + 3601).await, Err(Fault::Refused(_))));
    assert_eq!(provider.times(), 3);
    provider.task.abort();
    let day = 24 * 3600;
    assert_eq!(whose(&by_new, 7300).await, ann());
    assert_eq!(whose(&by_new, 3630 + day - 1).await, ann());
    assert!(matches!(whose(&by_old, 8000).await, Err(Fault::Unavailable(_))), "its key may be there again");
    assert!(matches!(whose(&by_new, 3630 + day).await, Err(Fault::Unavailable(_))));
}

#[tokio::test]
async fn many_tokens_at_once_ask_for_the_keys_once() {
    let provider = Provider::start().await;
    let key = Key::rsa();
    provider.shows(vec![key.shown("a")]);
    let (tokens, token, now) = (provider.tokens(), provider.token(&key, "a"), Instant::now());
    let whose = || tokens.whose(&token, NOW, now);
    let (a, b, c) = tokio::join!(whose(), whose(), whose());
    assert!(a.is_ok() && b.is_ok() && c.is_ok());
    assert_eq!(provider.times(), 1);
}

#[tokio::test]
async fn a_configuration_of_another_issuer_is_none() {
    let provider = Provider::start().await;
    let key = Key::rsa();
    provider.shows(vec![key.shown("a")]);
    lock(&provider.shown).issuer = "https://id.example.test".into();
    let whose = provider.tokens().whose(&provider.token(&key, "a"), NOW, Instant::now()).await;
    assert!(matches!(&whose, Err(Fault::Unavailable(why)) if why.contains("issuer")), "{whose:?}");
    assert_eq!(provider.times(), 0);
}
