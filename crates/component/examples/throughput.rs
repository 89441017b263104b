//! How fast the component carries, beside the tunnel that it is made of: a line `direction, native, component` for each
//! run, separated by tabs, the speeds in MB a second. `cargo xtask bench component` makes a table of it.

use std::env;
use std::error::Error;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::Instant;

use tokio::runtime::Runtime;
use underpass::gateway::Gateway;
use underpass::{Secret, Tunnel};
use underpass_component::SshTunnel;
use underpass_testkit::payload::Payload;
use underpass_testkit::target::Target;

const USER: &str = "me";
const PASSWORD: &str = "correct-horse-battery";

/// The fastest, so that what is not encryption shows most.
const CIPHER: &str = "aes128-gcm@openssh.com";

/// Of each transfer, in bytes.
const LENGTH: u64 = 1_000_000_000;

const RUNS: usize = 9;

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("serve") => serve(),
        _ => compare(),
    }
}

/// The far side, in a process of its own: tells its addresses, and ends with its input.
fn serve() -> Result<(), Box<dyn Error>> {
    let runtime = Runtime::new()?;
    let gateway = Gateway::builder().allow_password(USER, PASSWORD).allow_targets(|_| true);
    let gateway = runtime.block_on(gateway.start((Ipv4Addr::LOCALHOST, 0).into()))?;
    let (up, down) = (Target::Discard.start()?, Target::Source(Payload::new(1), LENGTH).start()?);
    println!("{} {} {}", gateway.address(), up.address(), down.address());
    std::io::stdin().read_to_end(&mut Vec::new())?;
    Ok(())
}

fn compare() -> Result<(), Box<dyn Error>> {
    let mut far = Command::new(env::current_exe()?);
    let mut far = far.arg("serve").stdin(Stdio::piped()).stdout(Stdio::piped()).spawn()?;
    let [gateway, up, down] = addresses(&mut far)?;
    let runtime = Runtime::new()?;
    for (direction, target, transfer) in
        [("up", up, upload as fn(SocketAddr) -> std::io::Result<()>), ("down", down, download)]
    {
        let native = runtime.block_on(native(gateway, target))?;
        let component = component(gateway, target)?;
        let native_port = native.local_address().ok_or("the tunnel has no forward")?;
        let component_port = (Ipv4Addr::LOCALHOST, u16::try_from(component.local_port())?).into();
        // Each once before it counts, so that windows and buffers have grown.
        for _ in 0..=RUNS {
            let speeds = [speed(native_port, transfer)?, speed(component_port, transfer)?];
            println!("{direction}\t{:.0}\t{:.0}", speeds[0], speeds[1]);
        }
    }
    drop(far.stdin.take());
    far.wait()?;
    Ok(())
}

fn addresses(far: &mut Child) -> Result<[SocketAddr; 3], Box<dyn Error>> {
    let mut line = String::new();
    BufReader::new(far.stdout.as_mut().ok_or("there is no output")?).read_line(&mut line)?;
    let addresses: Vec<SocketAddr> = line.split_whitespace().map(str::parse).collect::<Result<_, _>>()?;
    addresses.try_into().map_err(|_| "the far side has not started".into())
}

async fn native(gateway: SocketAddr, target: SocketAddr) -> Result<Tunnel, underpass::Error> {
    Tunnel::builder(format!("{USER}@{}:{}", gateway.ip(), gateway.port()))
        .password(Secret::from(PASSWORD.to_owned()))
        .host_key_judge(|_| true)
        .default_identities(false)
        .ciphers(CIPHER)
        .local_forward(format!("0:{}:{}", target.ip(), target.port()))
        .open()
        .await
}

fn component(gateway: SocketAddr, target: SocketAddr) -> Result<SshTunnel, underpass_component::Error> {
    let tunnel = SshTunnel::new();
    tunnel.set_ssh_host(gateway.ip().to_string())?;
    tunnel.set_ssh_port(gateway.port().into())?;
    tunnel.set_ssh_user(USER)?;
    tunnel.set_ssh_password(PASSWORD)?;
    tunnel.set_ssh_encryption_algorithms(CIPHER)?;
    tunnel.set_ssh_forward_host(target.ip().to_string())?;
    tunnel.set_ssh_forward_port(target.port().into())?;
    tunnel.set_local_host("127.0.0.1")?;
    tunnel.config("SSHAcceptAnyServerHostKey=True")?;
    tunnel.start_listening()?;
    Ok(tunnel)
}

/// In MB a second.
fn speed(port: SocketAddr, transfer: fn(SocketAddr) -> std::io::Result<()>) -> std::io::Result<f64> {
    let start = Instant::now();
    transfer(port)?;
    Ok(LENGTH as f64 / 1e6 / start.elapsed().as_secs_f64())
}

/// Until the target has seen the end, and said so.
fn upload(port: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(port)?;
    let chunk = vec![7; 1 << 20];
    let mut left = usize::try_from(LENGTH).unwrap_or(usize::MAX);
    while left > 0 {
        let next = left.min(chunk.len());
        stream.write_all(&chunk[..next])?;
        left -= next;
    }
    stream.shutdown(Shutdown::Write)?;
    stream.read_to_end(&mut Vec::new()).map(drop)
}

fn download(port: SocketAddr) -> std::io::Result<()> {
    let mut stream = TcpStream::connect(port)?;
    let mut chunk = vec![0; 1 << 20];
    let mut left = LENGTH;
    while left > 0 {
        match stream.read(&mut chunk)? {
            0 => return Err(std::io::ErrorKind::UnexpectedEof.into()),
            count => left = left.saturating_sub(count as u64),
        }
    }
    Ok(())
}
