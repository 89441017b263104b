//! One connection to an agent: a Unix-domain socket; on Windows a named pipe, or Pageant's window, which is none.

use std::io;
use std::path::Path;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use underpass_agent::{HEADER_LEN, body_len};

pub(super) enum Connection {
    #[cfg(unix)]
    Socket(tokio::net::UnixStream),
    #[cfg(windows)]
    Pipe(tokio::net::windows::named_pipe::NamedPipeClient),
    #[cfg(windows)]
    Window,
}

impl Connection {
    #[cfg(unix)]
    pub(super) async fn open(socket: &Path) -> io::Result<Self> {
        tokio::net::UnixStream::connect(socket).await.map(Self::Socket)
    }

    #[cfg(windows)]
    pub(super) async fn open(place: &Path) -> io::Result<Self> {
        windows::open(place).await
    }

    /// Whether a request may be about those before it.
    pub(super) fn lasts(&self) -> bool {
        #[cfg(windows)]
        if let Self::Window = self {
            return false;
        }
        true
    }

    /// The answer to one request, without its header.
    pub(super) async fn ask(&mut self, request: &[u8]) -> Result<Vec<u8>, String> {
        match self {
            #[cfg(unix)]
            Self::Socket(socket) => converse(socket, request).await,
            #[cfg(windows)]
            Self::Pipe(pipe) => converse(pipe, request).await,
            #[cfg(windows)]
            Self::Window => windows::ask_window(request).await,
        }
    }
}

async fn converse(
    stream: &mut (impl AsyncRead + AsyncWrite + Unpin),
    request: &[u8],
) -> Result<Vec<u8>, String> {
    let hung_up = |_| "it hangs up instead of answering".to_owned();
    stream.write_all(request).await.map_err(hung_up)?;
    let mut header = [0; HEADER_LEN];
    stream.read_exact(&mut header).await.map_err(hung_up)?;
    let mut body = vec![0; body_len(header).map_err(|error| error.to_string())?];
    stream.read_exact(&mut body).await.map_err(hung_up)?;
    Ok(body)
}

#[cfg(windows)]
mod windows {
    use std::ffi::OsStr;
    use std::io;
    use std::os::windows::io::AsHandle as _;
    use std::path::Path;
    use std::time::Duration;

    use tokio::net::windows::named_pipe::{ClientOptions, NamedPipeClient};
    use underpass_windows::pageant;

    use super::Connection;
    use crate::blocking::elsewhere;
    use crate::error::in_words;
    use crate::settings::OPENSSH_AGENT;

    /// The agent at a pipe, or Pageant by its name; Pageant stands in for OpenSSH's agent, where that does not run.
    pub(super) async fn open(place: &Path) -> io::Result<Connection> {
        if place.as_os_str().eq_ignore_ascii_case(PAGEANT) {
            return pageant().await.ok_or_else(|| io::ErrorKind::NotFound.into());
        }
        match open_pipe(place.as_os_str()).await {
            Err(error) if error.kind() == io::ErrorKind::NotFound && place == Path::new(OPENSSH_AGENT) => {
                pageant().await.ok_or(error)
            }
            opened => opened.map(Connection::Pipe),
        }
    }

    async fn open_pipe(name: &OsStr) -> io::Result<NamedPipeClient> {
        loop {
            match ClientOptions::new().open(name) {
                Err(error) if error.raw_os_error() == Some(ERROR_PIPE_BUSY) => {
                    tokio::time::sleep(PAUSE).await;
                }
                other => return other,
            }
        }
    }

    /// Its pipe, if that is this user's, or else its window.
    async fn pageant() -> Option<Connection> {
        if let Some(Ok(name)) = elsewhere(THREAD, pageant::pipe).await
            && let Ok(pipe) = open_pipe(name.as_ref()).await
            && pageant::is_ours(pipe.as_handle()).unwrap_or(false)
        {
            return Some(Connection::Pipe(pipe));
        }
        pageant::has_window().then_some(Connection::Window)
    }

    /// The thread stays when nobody waits any more, but not for ever.
    pub(super) async fn ask_window(request: &[u8]) -> Result<Vec<u8>, String> {
        let request = request.to_vec();
        match elsewhere(THREAD, move || pageant::ask_window(&request, PATIENCE)).await {
            Some(answer) => answer.map_err(|error| in_words(&error)),
            None => Err("there is no thread to ask it on".to_owned()),
        }
    }

    /// What stands for PuTTY's agent.
    const PAGEANT: &str = "pageant";

    /// What the threads are called that speak with it.
    const THREAD: &str = "underpass pageant";

    /// As long as a login takes by default: Pageant may ask for a passphrase.
    const PATIENCE: Duration = Duration::from_secs(120);

    /// All instances of the pipe are taken.
    const ERROR_PIPE_BUSY: i32 = 231;

    /// How soon one may be free.
    const PAUSE: Duration = Duration::from_millis(20);
}
