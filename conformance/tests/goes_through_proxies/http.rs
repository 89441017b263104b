//! HTTP CONNECT, plain and in TLS.

use std::sync::mpsc;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use underpass_conformance::proxy::{self, INSIDE, Proxy};
use underpass_conformance::{Failure, Result};
use underpass_testkit::Server;

use crate::bed::{Bed, PASSWORD, PATIENCE, USER, WRONG};

fn locked(bed: &Bed) -> Result<Proxy> {
    proxy::http(&[
        format!("BasicAuth {USER} {PASSWORD}"),
        format!("ConnectPort {}", bed.peer.address().port()),
    ])
}

#[test]
fn an_http_proxy_connects_who_has_the_password() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = locked(&bed)?;
    let address = proxy.address();
    bed.carries(bed.through(format_args!("http://{USER}:{PASSWORD}@{address}"))?)?;
    let wrong = bed.through(format_args!("http://{USER}:{WRONG}@{address}"))?;
    bed.fails_at(wrong, format_args!("http://{address}"), &["did not accept the user name"])?;
    let none = bed.through(format_args!("http://{address}"))?;
    bed.fails_at(none, format_args!("http://{address}"), &["wants a user name and a password", "Basic"])
}

#[test]
fn an_http_proxy_looks_the_name_up() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::http(&[])?;
    bed.carries(bed.through(format_args!("http://{}", proxy.address()))?.host(INSIDE))?;
    proxy.wait_for_log(&format!("CONNECT {INSIDE}:{} ", bed.peer.address().port()), PATIENCE)
}

#[test]
fn an_http_proxy_that_refuses_the_server_is_quoted() -> Result<()> {
    let bed = Bed::new()?;
    let proxy = proxy::http(&["ConnectPort 1".into()])?;
    let url = format!("http://{}", proxy.address());
    bed.fails_at(bed.through(&url)?, &url, &["403"])?;
    let proxy = proxy::http(&[])?;
    let url = format!("http://{}", proxy.address());
    bed.fails_at(bed.through(&url)?.host("nowhere.invalid"), &url, &["500"])
}

#[test]
fn a_proxy_in_tls_connects_if_its_certificate_is_trusted() -> Result<()> {
    let bed = Bed::new()?;
    let inner = locked(&bed)?;
    let (proxy, other) = (proxy::tls(&inner)?, proxy::tls(&inner)?);
    let trusting = |url: String, certificate: &Proxy| {
        let certificate = certificate.certificate().display().to_string();
        Ok::<_, Failure>(bed.through(url)?.variable("SSL_CERT_FILE", certificate))
    };
    let port = proxy.address().port();
    for host in ["127.0.0.1", "localhost"] {
        bed.carries(trusting(format!("https://{USER}:{PASSWORD}@{host}:{port}"), &proxy)?)?;
    }
    let (url, shown) =
        (format!("https://{USER}:{PASSWORD}@127.0.0.1:{port}"), format!("https://127.0.0.1:{port}"));
    bed.fails_at(trusting(url, &other)?, &shown, &["TLS", "certificate"])?;
    let url = format!("https://{USER}:{PASSWORD}@127.0.0.2:{port}");
    // Nobody listens at this one; the name counts only once somebody answers.
    bed.fails_at(trusting(url, &proxy)?, format_args!("https://127.0.0.2:{port}"), &["refused"])?;
    let wrong = trusting(format!("https://{USER}:{WRONG}@127.0.0.1:{port}"), &proxy)?;
    bed.fails_at(wrong, &shown, &["did not accept the user name"])
}

#[test]
fn a_proxy_without_tls_is_no_proxy_in_tls_and_the_other_way_round() -> Result<()> {
    let bed = Bed::new()?;
    let plain = proxy::http(&[])?;
    let tls = proxy::tls(&plain)?;
    let certificate = tls.certificate().display().to_string();
    let url = format!("https://{}", plain.address());
    bed.fails_at(bed.through(&url)?.variable("SSL_CERT_FILE", certificate), &url, &["did not answer"])?;
    let url = format!("http://{}", tls.address());
    bed.fails_at(bed.through(&url)?, &url, &[])
}

#[test]
fn headers_are_sent_along() -> Result<()> {
    let (tell, told) = mpsc::channel();
    let server = Server::start(move |mut stream| {
        let tell = tell.clone();
        async move {
            let mut request = Vec::new();
            while !request.ends_with(b"\r\n\r\n") {
                request.push(stream.read_u8().await?);
            }
            // Whether the test still waits is not its matter.
            let _ = tell.send(String::from_utf8_lossy(&request).into_owned());
            stream.write_all(b"HTTP/1.1 418 Not \x1b[31mmine\r\nContent-Length: 0\r\n\r\n").await
        }
    })?;
    let bed = Bed::new()?;
    let url = format!("http://{}", server.address());
    let client =
        bed.through(&url)?.flags(&["--proxy-header", "X-Team: tunnels", "--proxy-header", "X-Two:2"]);
    bed.fails_at(client, &url, &["418", "mine"])?;
    let request = told.recv_timeout(Duration::from_secs(1))?;
    let target = bed.peer.address();
    assert!(request.starts_with(&format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n")), "{request}");
    assert!(request.contains("\r\nX-Team: tunnels\r\nX-Two: 2\r\n"), "{request}");
    Ok(())
}
