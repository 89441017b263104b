//! Believes a server by the fingerprint of its key, and shows what it sees otherwise:
//! `host_key HOST PORT USER PASSWORD FINGERPRINT`.

use std::env;

use underpass_component::{Error, SshTunnel};

fn main() -> Result<(), Error> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let [host, port, user, password, fingerprint] = arguments.try_into().expect("five arguments");
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(host)?;
    tunnel.set_ssh_port(port.parse().expect("a port"))?;
    tunnel.set_ssh_user(user)?;
    tunnel.set_ssh_password(password)?;
    tunnel.set_local_host("127.0.0.1")?;
    tunnel.on_ssh_server_authentication(move |_, event| {
        println!("key {} {}", event.key_algorithm, event.fingerprint);
        event.accept = event.fingerprint == fingerprint;
    });
    match tunnel.start_listening() {
        Ok(()) => println!("trusted {}", tunnel.config("SSHFingerprintSHA256")?),
        // What was shown is not the key that was expected: nothing secret has been sent.
        Err(error) if error.code() == 1030 => println!("refused: {error}"),
        Err(error) => return Err(error),
    }
    tunnel.shutdown();
    Ok(())
}
