//! Servers that send what no control plane should: a clear line, no panic, and the gateway goes on.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};

use serde_json::Value;
use tokio_tungstenite::tungstenite::{self, Message, WebSocket};

use crate::Named;
use crate::processes::{Gateway, Settings, TOKEN, folder};

pub(crate) const ALL: &[Named] = &[
    ("a_body_of_5_gb_is_refused", a_body_of_5_gb_is_refused),
    ("a_body_without_end_is_refused", a_body_without_end_is_refused),
    ("a_body_that_breaks_off_is_no_answer", a_body_that_breaks_off_is_no_answer),
    ("a_body_that_trickles_is_given_up", a_body_that_trickles_is_given_up),
    ("an_html_well_known_is_no_evidence", an_html_well_known_is_no_evidence),
    ("a_redirect_carries_no_token_away", a_redirect_carries_no_token_away),
    ("a_binary_frame_is_counted", a_binary_frame_is_counted),
    ("an_oversized_frame_ends_the_session", an_oversized_frame_ends_the_session),
    ("a_ping_flood_ends_the_session", a_ping_flood_ends_the_session),
    ("what_is_no_event_is_counted", what_is_no_event_is_counted),
    ("noise_instead_of_http_is_no_answer", noise_instead_of_http_is_no_answer),
];

type Socket = WebSocket<TcpStream>;

/// A server that answers every request with `answer` and does `session` with every WebSocket.
fn server(
    answer: impl Fn(&str, &mut TcpStream) + Clone + Send + 'static,
    session: impl Fn(&mut Socket) + Clone + Send + 'static,
) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let accept = move || {
        for stream in listener.incoming() {
            let (answer, session) = (answer.clone(), session.clone());
            let serve = move || talk(stream.unwrap(), answer, session);
            std::thread::Builder::new().spawn(serve).unwrap();
        }
    };
    std::thread::Builder::new().spawn(accept).unwrap();
    address
}

fn talk(
    mut stream: TcpStream,
    answer: impl Fn(&str, &mut TcpStream),
    session: impl Fn(&mut Socket),
) {
    let mut head = vec![0; 8192];
    let length = loop {
        let length = stream.peek(&mut head).unwrap_or(0);
        if length == 0 || head[..length].windows(4).any(|end| end == b"\r\n\r\n") {
            break length;
        }
    };
    let head = String::from_utf8_lossy(&head[..length]).into_owned();
    if head.to_ascii_lowercase().contains("upgrade: websocket") {
        if let Ok(mut socket) = tungstenite::accept(stream) {
            session(&mut socket);
            // The other side ends it.
            while socket.read().is_ok() {}
        }
    } else if length > 0 {
        let mut taken = vec![0; length];
        stream.read_exact(&mut taken).unwrap();
        answer(&head, &mut stream);
    }
}

/// Sends what may not arrive: the gateway hangs up when it has had enough.
fn send(stream: &mut TcpStream, bytes: &[u8]) -> bool {
    stream.write_all(bytes).is_ok()
}

fn json(stream: &mut TcpStream, body: &str) {
    let length = body.len();
    let head = format!(
        "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {length}\r\n\r\n"
    );
    send(stream, format!("{head}{body}").as_bytes());
}

/// A control plane with nothing deployed.
fn empty(_head: &str, stream: &mut TcpStream) {
    json(stream, r#"{"deployments":[]}"#);
}

fn acknowledge(socket: &mut Socket) {
    let ack = r#"{"type":"connection.ack","gatewayId":"g","connectionId":"c","timestamp":"2026-06-17T09:15:00.2Z"}"#;
    socket.send(Message::text(ack)).unwrap();
}

fn settings(name: &str, address: SocketAddr) -> Settings {
    Settings::new(&folder(name), &format!("http://{address}"))
        .set("control_plane.insecure_plain_http", true)
}

/// Settings that skip discovery, so that the first thing is a session.
fn pinned(name: &str, address: SocketAddr) -> Settings {
    settings(name, address).text("control_plane.base_path", "/internal/data/v1")
}

#[track_caller]
fn session_says(gateway: &mut Gateway, part: &str) {
    gateway.until(part, |status| status["session"].as_str().unwrap().contains(part));
    assert!(!gateway.logged().contains("panic"));
    assert_eq!(gateway.page("/health/live").0, 200);
}

fn no_session(_socket: &mut Socket) {}

fn a_body_of_5_gb_is_refused() {
    let long = |_: &str, stream: &mut TcpStream| {
        send(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 5368709120\r\n\r\n{");
    };
    let mut gateway = Gateway::start(&settings("long-body", server(long, no_session)));
    session_says(&mut gateway, "a body of 5368709120 bytes, over 268435456");
}

fn a_body_without_end_is_refused() {
    let endless = |_: &str, stream: &mut TcpStream| {
        send(stream, b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n");
        let chunk = format!("10000\r\n{}\r\n", "x".repeat(0x10000));
        while send(stream, chunk.as_bytes()) {}
    };
    let settings = settings("endless-body", server(endless, no_session));
    let mut gateway = Gateway::start(&settings.set("limits.body_bytes_max", 1_000_000));
    session_says(&mut gateway, "a body over 1000000 bytes");
}

fn a_body_that_breaks_off_is_no_answer() {
    let short = |_: &str, stream: &mut TcpStream| {
        send(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{\"gateway");
    };
    let mut gateway = Gateway::start(&settings("short-body", server(short, no_session)));
    session_says(&mut gateway, "the body broke off after 9 bytes");
}

fn a_body_that_trickles_is_given_up() {
    let slow = |_: &str, stream: &mut TcpStream| {
        send(stream, b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{");
        // The gateway hangs up.
        let _ended = stream.read(&mut [0]);
    };
    let settings = settings("slow-body", server(slow, no_session));
    let mut gateway = Gateway::start(&settings.text("timeouts.body_idle", "100ms"));
    session_says(&mut gateway, "the body stopped after 1 bytes and took too long");
}

fn an_html_well_known_is_no_evidence() {
    let page = |_: &str, stream: &mut TcpStream| json(stream, "<html>Carbon</html>");
    let mut gateway = Gateway::start(&settings("html", server(page, no_session)));
    session_says(&mut gateway, "discovery failed: malformed: well-known is not JSON");
    assert_eq!(gateway.status()["control_plane"]["base"], Value::Null);
}

fn a_redirect_carries_no_token_away() {
    let elsewhere = TcpListener::bind("127.0.0.1:0").unwrap();
    elsewhere.set_nonblocking(true).unwrap();
    let to = elsewhere.local_addr().unwrap();
    let away = move |_: &str, stream: &mut TcpStream| {
        let head = format!("HTTP/1.1 302 Found\r\nlocation: http://{to}/x?token=abc\r\n");
        send(stream, format!("{head}content-length: 0\r\n\r\n").as_bytes());
    };
    let mut gateway = Gateway::start(&pinned("redirect", server(away, acknowledge)));
    let line = gateway.until_logged("a redirect is not followed");
    assert!(line.contains(&format!("http://{to}\"")) && !line.contains("abc"), "{line}");
    gateway.until("the list's failure", |status| {
        let reason = status["kinds"]["RestApi"]["reason"].as_str().unwrap();
        reason.contains("answered 302")
    });
    assert!(elsewhere.accept().is_err(), "the redirect was followed");
    assert!(!gateway.logged().contains(TOKEN));
}

/// A gateway with a session on which something is sent.
fn with_session(name: &str, session: impl Fn(&mut Socket) + Clone + Send + 'static) -> Gateway {
    let acknowledged = move |socket: &mut Socket| {
        acknowledge(socket);
        session(socket);
    };
    Gateway::start(&pinned(name, server(empty, acknowledged)))
}

fn a_binary_frame_is_counted() {
    let mut gateway = with_session("binary", |socket| {
        socket.send(Message::binary(vec![0; 100])).unwrap();
    });
    gateway.until("counted", |status| status["anomalies"]["malformed_frames"] == 1);
    gateway.until_logged("binary frame of 100 bytes");
    assert_eq!(gateway.status()["session"], "live");
}

fn what_is_no_event_is_counted() {
    let mut gateway = with_session("no-event", |socket| {
        for text in ["", "{", "[]", "{\"type\":7}", "null", "\u{1F98A}"] {
            socket.send(Message::text(text)).unwrap();
        }
        socket.send(Message::text(r#"{"type":"weather.changed"}"#)).unwrap();
    });
    gateway.until("counted", |status| {
        status["anomalies"]["malformed_frames"] == 6
            && status["anomalies"]["unknown_events"]["weather.changed"] == 1
    });
    assert_eq!(gateway.status()["session"], "live");
}

fn an_oversized_frame_ends_the_session() {
    let mut gateway = with_session("oversized", |socket| {
        // The gateway may hang up before all of it is sent.
        let _refused = socket.send(Message::text("x".repeat(2 << 20)));
    });
    gateway.until_logged("a message of 2097152 bytes, over 1048576");
    session_says(&mut gateway, "a message of 2097152 bytes, over 1048576");
}

fn a_ping_flood_ends_the_session() {
    let mut gateway =
        with_session(
            "ping-flood",
            |socket| {
                while socket.send(Message::Ping(Vec::new().into())).is_ok() {}
            },
        );
    gateway.until_logged("more than 100 pings in a second");
    session_says(&mut gateway, "more than 100 pings in a second");
}

fn noise_instead_of_http_is_no_answer() {
    let noise = |_: &str, stream: &mut TcpStream| {
        send(stream, b"\x16\x03\x01\x00\xff noise\r\n\r\n");
    };
    let mut gateway = Gateway::start(&settings("noise", server(noise, no_session)));
    session_says(&mut gateway, "no answer: ");
}
