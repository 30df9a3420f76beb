//! What one session asks does not hold up the others, nor the end of the server.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod harness;

use std::time::{Duration, Instant};

use harness::{Client, Scratch, Server, TlsStream};

const PASSWORD: &str = "top-secret";

fn server(scratch: &Scratch) -> Server {
    let passwords = scratch.file("passwords", &format!("ann@example.test {PASSWORD}\nbob@example.test {PASSWORD}\n"));
    let passwords = passwords.display().to_string();
    let arguments = ["--user", "bob@example.test", "--password-file", &passwords];
    Server::quickstart(scratch, &arguments)
}

fn log_on(server: &Server, user: &str) -> Client<TlsStream> {
    let mut client = server.connect_tls("imaps");
    client.line();
    assert_eq!(client.ask(&format!("1 LOGIN {user} {PASSWORD}")), "1 OK LOGIN completed.");
    client
}

/// Clients that keep more threads busy than a small machine has: each asks for what takes it many seconds.
fn busy(server: &Server) -> Vec<Client<TlsStream>> {
    let message = format!("{}\r\nbody\r\n", "a: bcd\r\n".repeat(120_000));
    let mut first = log_on(server, "ann@example.test");
    first.send(&format!("2 APPEND INBOX {{{}+}}\r\n{message}\r\n", message.len()));
    assert!(first.line().starts_with("2 OK"));
    let keys: Vec<String> = (0..256).map(|n| format!("NOT TEXT qq{n}")).collect();
    let others = (1..8).map(|_| log_on(server, "ann@example.test"));
    let mut clients: Vec<_> = std::iter::once(first).chain(others).collect();
    for client in &mut clients {
        client.send("3 SELECT INBOX\r\n");
        while !client.line().starts_with("3 OK") {}
        client.send(&format!("4 SEARCH {0}\r\n5 SEARCH {0}\r\n6 SEARCH {0}\r\n", keys.join(" ")));
    }
    clients
}

#[test]
fn the_dearest_searches_do_not_hold_up_another_user() {
    let scratch = Scratch::new();
    let server = server(&scratch);
    let mut clients = busy(&server);
    let mut bob = log_on(&server, "bob@example.test");
    for _ in 0..10 {
        assert_eq!(bob.ask("2 NOOP"), "2 OK NOOP completed.");
    }
    drop(bob);
    // Whether they were at it all the time, does not depend on how fast the machine is.
    let mut client = clients.remove(0).into_inner();
    client.sock.set_nonblocking(true).unwrap();
    let mut first = [0];
    let read = std::io::Read::read(&mut client, &mut first);
    assert!(read.is_err_and(|error| error.kind() == std::io::ErrorKind::WouldBlock), "the searches were over");
}

#[test]
fn a_server_whose_sessions_compute_ends_in_time() {
    let scratch = Scratch::new();
    let server = server(&scratch);
    let clients = busy(&server);
    server.signal("TERM");
    for mut client in clients {
        let mut line = client.line();
        while !line.starts_with("* BYE") {
            assert!(!line.is_empty(), "closed without a word");
            line = client.line();
        }
    }
    let begun = Instant::now();
    assert!(server.wait().success());
    // The searches would take minutes.
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}
