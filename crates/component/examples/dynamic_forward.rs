//! A SOCKS proxy whose connections leave from the server, and a client of it:
//! `dynamic_forward HOST PORT USER PASSWORD FINGERPRINT TARGET TARGETPORT`.

use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::{env, thread};

use underpass_component::{Error, SshTunnel};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, password, fingerprint, target, target_port] =
        arguments.try_into().expect("seven arguments");
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(host)?;
    tunnel.set_ssh_port(port.parse().expect("a port"))?;
    tunnel.set_ssh_user(user)?;
    tunnel.set_ssh_password(password)?;
    tunnel.config(&format!("SSHAcceptServerHostKeyFingerPrint={fingerprint}"))?;
    tunnel.set_local_host("127.0.0.1")?;
    // Neither ssh_forward_host nor ssh_forward_port: each client says where it wants to go.
    tunnel.start_listening()?;

    let proxy = u16::try_from(tunnel.local_port()).expect("a port");
    let client = thread::spawn(move || hello_through(proxy, &target, target_port.parse().expect("a port")));
    while !client.is_finished() {
        tunnel.do_events();
    }
    println!("answer {}", client.join().expect("the client").expect("an answer"));
    tunnel.shutdown();
    Ok(())
}

/// SOCKS 5 (RFC 1928): no authentication, then CONNECT to a name.
fn hello_through(proxy: u16, target: &str, port: u16) -> std::io::Result<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", proxy))?;
    stream.write_all(&[5, 1, 0])?;
    stream.read_exact(&mut [0; 2])?;
    let length = u8::try_from(target.len()).expect("a short name");
    let request = [&[5, 1, 0, 3, length], target.as_bytes(), &port.to_be_bytes()].concat();
    stream.write_all(&request)?;
    let mut reply = [0; 10];
    stream.read_exact(&mut reply)?;
    assert_eq!(reply[1], 0, "the proxy refuses");
    stream.write_all(b"hello\n")?;
    let mut answer = [0; 6];
    stream.read_exact(&mut answer)?;
    Ok(String::from_utf8_lossy(&answer).trim().to_owned())
}
