use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::Notify;

use super::*;

/// Greets, then waits; panics for a client that says so.
struct Greeter(Arc<Notify>);

impl Serve for Greeter {
    fn serve<'a>(
        &'a self,
        connection: &'a mut Connection<TcpStream>,
    ) -> Pin<Box<dyn Future<Output = End> + Send + 'a>> {
        Box::pin(async move {
            connection.output().extend_from_slice(b"* OK hello\r\n");
            let end = connection.flush().await;
            if connection.peer().remote.ip() == std::net::Ipv4Addr::new(127, 0, 0, 9) {
                panic!("as a fault of this program would");
            }
            self.0.notified().await;
            end.err().unwrap_or(End::Finished)
        })
    }
}

fn limits(all: u32, from_one_address: u32) -> Limits {
    Limits::new(all, from_one_address, Descriptors::of(10_000))
}

fn start(limits: Limits, release: &Arc<Notify>, drain_timeout: Duration) -> Listening {
    let listener = bind(([127, 0, 0, 1], 0).into()).unwrap().unwrap();
    let opening = Opening::Greeting { probe: Duration::ZERO };
    let binding = Binding { listener, opening, serve: Arc::new(Greeter(release.clone())) };
    let terms = Terms {
        protocol: Protocol::Imap,
        tls: None,
        handshake: Duration::from_secs(30),
        stall: Duration::from_secs(300),
    };
    let shared = Shared {
        numbers: Arc::default(),
        descriptors: Descriptors::of(10_000),
        drain_timeout,
        handshake: terms.handshake,
        stall: terms.stall,
    };
    Listening::start(vec![binding], &Arc::new(terms), &Arc::new(limits), &shared)
}

async fn connect(listening: &Listening, from: [u8; 4]) -> TcpStream {
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind((from, 0).into()).unwrap();
    socket.connect(listening.addresses()[0].0).await.unwrap()
}

async fn line(socket: &mut TcpStream) -> String {
    let mut line = Vec::new();
    while !line.ends_with(b"\n") {
        match socket.read_u8().await {
            Ok(octet) => line.push(octet),
            Err(_) => break,
        }
    }
    String::from_utf8(line).unwrap()
}

#[tokio::test]
async fn the_connection_after_the_last_is_told_the_limit_and_another_address_is_served() {
    let release = Arc::new(Notify::new());
    let listening = start(limits(4, 2), &release, Duration::from_secs(10));
    let mut held = Vec::new();
    for _ in 0..2 {
        let mut socket = connect(&listening, [127, 0, 0, 2]).await;
        assert_eq!(line(&mut socket).await, "* OK hello\r\n");
        held.push(socket);
    }
    let refused = line(&mut connect(&listening, [127, 0, 0, 2]).await).await;
    assert_eq!(refused, "* BYE Too many connections from your address: 2 are allowed (MaxConnectionFromSingleIP).\r\n");
    for _ in 0..2 {
        let mut socket = connect(&listening, [127, 0, 0, 3]).await;
        assert_eq!(line(&mut socket).await, "* OK hello\r\n");
        held.push(socket);
    }
    let refused = line(&mut connect(&listening, [127, 0, 0, 4]).await).await;
    assert_eq!(refused, "* BYE Too many connections: this service takes 4 (MaxConnections).\r\n");
    // One that ends gives its place back.
    release.notify_one();
    assert_eq!(line(&mut held[0]).await, "");
    let mut again = connect(&listening, [127, 0, 0, 2]).await;
    assert_eq!(line(&mut again).await, "* OK hello\r\n");
    release.notify_waiters();
    listening.stop().await;
}

#[tokio::test]
async fn connections_past_the_limit_of_open_files_are_told_so_over_all_services() {
    let release = Arc::new(Notify::new());
    let descriptors = Descriptors::of(2);
    let services = [(); 2].map(|()| start(Limits::new(9, 9, descriptors.clone()), &release, Duration::from_secs(10)));
    let mut held = connect(&services[0], [127, 0, 0, 2]).await;
    assert_eq!(line(&mut held).await, "* OK hello\r\n");
    // However many come at once.
    let mut refused = Vec::new();
    for _ in 0..50 {
        refused.push(connect(&services[1], [127, 0, 0, 3]).await);
    }
    for mut client in refused {
        let said = "* BYE Too many connections: this server can have 1 open (limit of open files).\r\n";
        assert_eq!(line(&mut client).await, said);
    }
    release.notify_one();
    assert_eq!(line(&mut held).await, "");
    assert_eq!(line(&mut connect(&services[1], [127, 0, 0, 3]).await).await, "* OK hello\r\n");
    for service in services {
        release.notify_waiters();
        service.stop().await;
    }
}

#[tokio::test]
async fn a_panic_costs_one_connection() {
    let release = Arc::new(Notify::new());
    let listening = start(limits(1, 1), &release, Duration::from_secs(10));
    for _ in 0..3 {
        let mut socket = connect(&listening, [127, 0, 0, 9]).await;
        assert_eq!(line(&mut socket).await, "* OK hello\r\n");
        assert_eq!(line(&mut socket).await, "");
    }
    let mut socket = connect(&listening, [127, 0, 0, 2]).await;
    assert_eq!(line(&mut socket).await, "* OK hello\r\n");
    release.notify_waiters();
    listening.stop().await;
}

#[tokio::test]
async fn sessions_that_do_not_end_in_time_are_ended() {
    let listening = start(limits(1, 1), &Arc::new(Notify::new()), Duration::from_millis(10));
    let mut socket = connect(&listening, [127, 0, 0, 2]).await;
    assert_eq!(line(&mut socket).await, "* OK hello\r\n");
    listening.stop().await;
    let _ = socket.write_all(b"x").await;
    assert_eq!(line(&mut socket).await, "");
}

#[tokio::test]
async fn what_cannot_be_bound_is_said_with_the_cure() {
    let taken = bind(([127, 0, 0, 1], 0).into()).unwrap().unwrap();
    let error = bind(taken.local_addr().unwrap()).unwrap_err().to_string();
    assert!(error.contains("in use") && error.contains("--port-offset"), "{error}");
    let error = bind(([203, 0, 113, 1], 0).into()).unwrap_err().to_string();
    assert!(error.contains("203.0.113.1") && error.contains("--listen"), "{error}");
}
