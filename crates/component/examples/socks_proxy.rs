//! Reaches the server through a SOCKS 5 proxy:
//! `socks_proxy PROXY PROXYPORT PROXYUSER PROXYPASSWORD HOST PORT USER PASSWORD FINGERPRINT`.

use std::env;

use underpass_component::{Error, SshTunnel};

/// `firewall_type`.
const SOCKS5: i64 = 3;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [proxy, proxy_port, proxy_user, proxy_password, host, port, user, password, fingerprint] =
        arguments.try_into().expect("nine arguments");
    let tunnel = SshTunnel::new();
    tunnel.set_firewall_type(SOCKS5)?;
    tunnel.set_firewall_host(proxy)?;
    // The type has set the usual port.
    println!("usual port {}", tunnel.firewall_port());
    tunnel.set_firewall_port(proxy_port.parse().expect("a port"))?;
    tunnel.set_firewall_user(proxy_user)?;
    tunnel.set_firewall_password(proxy_password)?;
    tunnel.set_ssh_host(host)?;
    tunnel.set_ssh_port(port.parse().expect("a port"))?;
    tunnel.set_ssh_user(user)?;
    tunnel.set_ssh_password(password)?;
    tunnel.set_local_host("127.0.0.1")?;
    tunnel.config(&format!("SSHAcceptServerHostKeyFingerPrint={fingerprint}"))?;
    tunnel.start_listening()?;
    println!("through the proxy");
    tunnel.shutdown();
    Ok(())
}
