use std::io::{Read, Write};
use std::net::TcpListener;

use super::*;
use crate::http::transport::wait_until;

fn pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let client = TcpStream::connect(listener.local_addr().unwrap()).unwrap();
    (listener.accept().unwrap().0, client)
}

#[test]
fn socket_is_found_by_its_peer() {
    let (server, mut client) = pair();
    let found = find(client.local_addr().unwrap(), |_| true).unwrap();
    (&found.stream).write_all(b"hello").unwrap();
    drop((found, server));
    let mut text = String::new();
    client.read_to_string(&mut text).unwrap();
    assert_eq!(text, "hello");
}

#[test]
fn same_socket_has_the_same_cookie_and_another_has_another() {
    let ((_s1, c1), (_s2, c2)) = (pair(), pair());
    let cookie = |c: &TcpStream| find(c.local_addr().unwrap(), |_| true).unwrap().cookie;
    assert_eq!(cookie(&c1), cookie(&c1));
    assert_ne!(cookie(&c1), cookie(&c2));
}

#[test]
fn connection_is_seen_with_what_came_and_cut() {
    let (server, mut client) = pair();
    let own = server.local_addr().unwrap();
    client.write_all(b"hello").unwrap();
    let found = connections(own);
    assert_eq!(found.len(), 1, "{found:?}");
    let (cookie, fd) = found.into_iter().next().unwrap();
    assert_eq!(Ok(cookie), super::cookie(&server));
    wait_until("it has come", || tcp_state(fd, cookie).unwrap().n_unread == 5);
    let seen = tcp_state(fd, cookie).unwrap();
    assert_eq!((seen.n_received, seen.n_unread), (Some(5), 5));
    assert!(!seen.is_closed && tcp_state(fd, cookie + 1).is_none());
    shut(fd, cookie + 1);
    shut(fd, cookie);
    assert_eq!(client.read(&mut [0; 9]).unwrap(), 0);
    drop(client);
    wait_until("it is closed", || tcp_state(fd, cookie).unwrap().is_closed);
}

#[test]
fn peer_that_left_is_seen_though_nothing_is_read() {
    let (server, client) = pair();
    server.shutdown(Shutdown::Read).unwrap();
    assert!(!has_left(&server));
    drop(client);
    wait_until("it has left", || has_left(&server));
}

#[test]
fn clients_that_wait_are_counted() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    assert_eq!(backlog(&listener), 0);
    let clients = [(); 3].map(|()| TcpStream::connect(listener.local_addr().unwrap()).unwrap());
    wait_until("three wait", || backlog(&listener) == 3);
    drop(clients);
}

#[test]
fn nothing_but_a_listener_is_adopted() {
    let (server, _client) = pair();
    assert!(adopt(server.as_raw_fd()).is_none() && adopt(1).is_none());
    assert!(adopt(1_000_000).is_none());
}

#[test]
fn nothing_is_found_for_a_stranger() {
    assert!(find("127.0.0.1:1".parse().unwrap(), |_| true).is_none());
}
