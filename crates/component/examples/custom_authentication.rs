//! Logs on by packets made by hand, here for the method `password` (RFC 4252 section 8):
//! `custom_authentication HOST PORT USER PASSWORD FINGERPRINT`.

use std::env;

use underpass_component::{Error, SshTunnel};

/// `ssh_auth_mode`.
const CUSTOM: i64 = 6;

/// Messages of RFC 4250 section 4.1.2.
const SERVICE_ACCEPT: u8 = 6;
const USERAUTH_REQUEST: &str = "50";
const USERAUTH_FAILURE: u8 = 51;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, password, fingerprint] = arguments.try_into().expect("five arguments");
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(host)?;
    tunnel.set_ssh_port(port.parse().expect("a port"))?;
    tunnel.set_ssh_user(&user)?;
    tunnel.set_local_host("127.0.0.1")?;
    tunnel.config(&format!("SSHAcceptServerHostKeyFingerPrint={fingerprint}"))?;
    tunnel.set_ssh_auth_mode(CUSTOM)?;
    tunnel.on_ssh_custom_auth(move |tunnel, event| {
        event.packet = answer(tunnel, &event.packet, &user, &password).unwrap_or_default();
    });
    tunnel.start_listening()?;
    println!("logged on");
    tunnel.shutdown();
    Ok(())
}

/// The next packet, in hexadecimal; an empty one gives up.
fn answer(tunnel: &SshTunnel, last: &str, user: &str, password: &str) -> Result<String, Error> {
    let last = tunnel.decode_packet(last)?;
    match last.first() {
        Some(&SERVICE_ACCEPT) => {}
        Some(&USERAUTH_FAILURE) => {
            println!("still accepted: {}", tunnel.get_ssh_param(&last, "%b,s")?);
            return Ok(String::new());
        }
        _ => return Ok(String::new()),
    }
    let fields = [("s", user), ("s", "ssh-connection"), ("s", "password"), ("f", "false"), ("s", password)];
    let start = tunnel.set_ssh_param(Vec::new(), "b", USERAUTH_REQUEST)?;
    let packet =
        fields.iter().try_fold(start, |packet, (kind, value)| tunnel.set_ssh_param(packet, kind, value))?;
    Ok(tunnel.encode_packet(&packet))
}
