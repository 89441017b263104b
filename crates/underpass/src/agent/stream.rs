//! The way to an agent: a Unix-domain socket, or a named pipe on Windows.

use std::io;
use std::path::Path;

#[cfg(unix)]
pub(super) async fn connect(socket: &Path) -> io::Result<tokio::net::UnixStream> {
    tokio::net::UnixStream::connect(socket).await
}

/// OpenSSH's agent, and that of PuTTY, which says with `--openssh-config` what its pipe is called.
#[cfg(windows)]
pub(super) async fn connect(pipe: &Path) -> io::Result<tokio::net::windows::named_pipe::NamedPipeClient> {
    /// All instances of the pipe are taken.
    const ERROR_PIPE_BUSY: i32 = 231;
    /// How soon one may be free.
    const PAUSE: std::time::Duration = std::time::Duration::from_millis(20);
    loop {
        match tokio::net::windows::named_pipe::ClientOptions::new().open(pipe) {
            Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY) => tokio::time::sleep(PAUSE).await,
            other => return other,
        }
    }
}
