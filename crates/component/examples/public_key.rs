//! Logs on with a private key out of a PFX: `public_key HOST PORT USER FILE PASSWORD SUBJECT FINGERPRINT`.

use std::env;

use underpass_component::{Error, SshTunnel};

/// `ssh_auth_mode`.
const PUBLIC_KEY: i64 = 3;

/// `ssh_cert_store_type`.
const PFX_FILE: i64 = 2;

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, file, password, subject, fingerprint] =
        arguments.try_into().expect("seven arguments");
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(host)?;
    tunnel.set_ssh_port(port.parse().expect("a port"))?;
    tunnel.set_ssh_user(user)?;
    tunnel.set_local_host("127.0.0.1")?;
    tunnel.config(&format!("SSHAcceptServerHostKeyFingerPrint={fingerprint}"))?;
    tunnel.set_ssh_auth_mode(PUBLIC_KEY)?;
    tunnel.set_ssh_cert_store_type(PFX_FILE)?;
    tunnel.set_ssh_cert_store(file)?;
    tunnel.set_ssh_cert_store_password(password)?;
    // The last of them: it looks for the key. `*` takes any.
    tunnel.set_ssh_cert_subject(subject)?;
    println!("with {}", tunnel.ssh_cert_subject());
    tunnel.start_listening()?;
    println!("logged on");
    tunnel.shutdown();
    Ok(())
}
