//! A program that opens a tunnel, closes it on demand, and stays, so that a test can look at what is left in its memory.
//!
//! Standard input brings five lines: destination, known_hosts file, key file, passphrase, password; `-` is none. After
//! `open` another line closes the tunnel, and after `closed` the end of the input ends the program.

use std::error::Error;
use std::fs::File;
use std::io::Read as _;
use std::os::fd::AsFd as _;
use std::time::Duration;

use underpass::{Secret, Tunnel};
use zeroize::Zeroizing;

fn main() -> Result<(), Box<dyn Error>> {
    // Read without the buffer of the standard library, which would keep what passes through it.
    let mut input = File::from(std::io::stdin().as_fd().try_clone_to_owned()?);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let tunnel = runtime.block_on(async {
        let mut lines = Zeroizing::new([0; 4096]);
        let length = read_lines(&mut input, lines.as_mut_slice(), 5)?;
        let mut words = lines[..length].split(|byte| *byte == b'\n');
        let mut next = || words.next().filter(|word| *word != b"-");
        let text = |word: Option<&[u8]>| word.map(|word| String::from_utf8_lossy(word).into_owned());
        let mut builder = Tunnel::builder(text(next()).unwrap_or_default()).batch(true);
        builder = builder.user_known_hosts(text(next())).default_identities(false);
        if let Some(key) = text(next()) {
            builder = builder.identity_file(key);
        }
        if let Some(passphrase) = next() {
            builder = builder.passphrase(Secret::new(passphrase));
        }
        if let Some(password) = next() {
            builder = builder.password(Secret::new(password));
        }
        Ok::<_, Box<dyn Error>>(builder.open().await?)
    })?;
    println!("open");
    read_lines(&mut input, &mut [0; 16], 1)?;
    runtime.block_on(tunnel.stop(Duration::from_secs(1)));
    drop(tunnel);
    drop(runtime);
    println!("closed");
    // Until the test has looked.
    read_lines(&mut input, &mut [0; 16], 1)?;
    Ok(())
}

/// Reads until so many lines, or the end, have come.
fn read_lines(input: &mut File, space: &mut [u8], count: usize) -> std::io::Result<usize> {
    let mut length = 0;
    loop {
        let read = input.read(&mut space[length..])?;
        length += read;
        if read == 0 || space[..length].iter().filter(|byte| **byte == b'\n').count() >= count {
            return Ok(length);
        }
    }
}
