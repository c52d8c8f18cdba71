//! What a gateway that cannot connect says.

use std::net::TcpListener;

use crate::Named;
use crate::processes::{Apim, Gateway, Settings, folder};

pub(crate) const ALL: &[Named] = &[
    ("a_closed_port_is_named", a_closed_port_is_named),
    ("an_untrusted_authority_is_named", an_untrusted_authority_is_named),
    ("a_certificate_for_another_host_is_named", a_certificate_for_another_host_is_named),
    ("verification_is_switched_off_loudly", verification_is_switched_off_loudly),
    ("a_server_without_tls_is_named", a_server_without_tls_is_named),
    ("a_server_that_says_nothing_is_given_up", a_server_that_says_nothing_is_given_up),
    ("a_host_that_is_none_is_named", a_host_that_is_none_is_named),
];

/// What the status must say about the session, sooner or later.
#[track_caller]
fn says(settings: &Settings, parts: &[&str]) -> Gateway {
    let mut gateway = Gateway::start(settings);
    gateway.until(&format!("the session says {parts:?}"), |status| {
        let session = status["session"].as_str().unwrap();
        parts.iter().all(|part| session.contains(part))
    });
    let status = gateway.status();
    assert_eq!(status["kinds"]["RestApi"]["state"], "stale", "{status:#}");
    assert_eq!(gateway.page("/health/live").0, 200);
    let (code, why) = gateway.page("/health/ready");
    assert_eq!(code, 503);
    assert!(why.starts_with("not ready: never read to the end: "), "{why}");
    gateway
}

fn a_closed_port_is_named() {
    let folder = folder("closed-port");
    let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let settings = Settings::new(&folder, &format!("https://{port}"));
    says(&settings, &[&format!("cannot connect to {port}"), "Connection refused"]);
}

fn an_untrusted_authority_is_named() {
    let (own, other) = (folder("untrusted"), folder("untrusted-other"));
    let apim = Apim::start(&own, &[]);
    let stranger = Apim::start(&other, &[]);
    let authority = stranger.authority.clone().unwrap();
    let settings =
        Settings::of(&own, &apim).text("control_plane.ca_file", authority.to_str().unwrap());
    let parts = ["the certificate is refused", "name it in control_plane.ca_file"];
    says(&settings, &parts);
    assert_eq!(apim.page("/state")["traffic"].as_array().unwrap().len(), 0);
}

fn a_certificate_for_another_host_is_named() {
    let folder = folder("other-host");
    // The certificate is for 127.0.0.1, ::1 and localhost.
    let apim = Apim::start(&folder, &["--listen", "127.0.0.2:0"]);
    let settings = Settings::of(&folder, &apim);
    let parts = ["the certificate is refused", "it is for another host; check the host"];
    says(&settings, &parts);
}

fn verification_is_switched_off_loudly() {
    let folder = folder("no-verification");
    let apim = Apim::start(&folder, &["--listen", "127.0.0.2:0"]);
    apim.step(r#"{"deploy":{"api":"orders"}}"#);
    let settings = Settings::of(&folder, &apim)
        .without("control_plane.ca_file")
        .set("control_plane.insecure_skip_verify", true);
    let mut gateway = Gateway::start(&settings);
    let status = gateway.until_synced(1);
    assert!(status["warnings"][0].as_str().unwrap().starts_with("insecure_skip_verify: "));
    let line = gateway.until_logged("insecure_skip_verify: ");
    assert!(line.contains("\"WARN\""), "{line}");
}

fn a_server_without_tls_is_named() {
    let folder = folder("no-tls");
    let apim = Apim::start(&folder, &["--plain"]);
    let settings = Settings::new(&folder, &apim.url.replace("http:", "https:"))
        .set("control_plane.insecure_skip_verify", true);
    says(&settings, &[&format!("no TLS with {}", apim.address())]);
}

fn a_server_that_says_nothing_is_given_up() {
    let folder = folder("silence");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let settings = Settings::new(&folder, &format!("https://{address}"))
        .set("control_plane.insecure_skip_verify", true)
        .text("timeouts.tls_handshake", "100ms");
    says(&settings, &["the TLS handshake took longer than 100ms"]);
    let settings = Settings::new(&folder, &format!("http://{address}"))
        .set("control_plane.insecure_plain_http", true)
        .text("timeouts.response_head", "100ms");
    says(&settings, &["no answer within 100ms"]);
}

fn a_host_that_is_none_is_named() {
    let folder = folder("no-host");
    let settings = Settings::new(&folder, "https://no-such-host.invalid:9443")
        .set("control_plane.insecure_skip_verify", true);
    says(&settings, &["cannot connect to no-such-host.invalid:9443"]);
}
