//! A program that connects to the server and passes the bytes on, as `ProxyCommand` has it.

use std::future::Future as _;
use std::io;
use std::pin::{Pin, pin};
use std::process::{ExitStatus, Stdio};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::{Sleep, sleep};

/// How long a program whose output has ended is given to say how it ended itself.
const LINGER: Duration = Duration::from_secs(1);

/// The program's standard input and output. Dropped, the program is killed.
pub(super) struct Pipes {
    input: ChildStdin,
    output: ChildStdout,
    program: Child,
    /// Runs from the end of a pipe on.
    linger: Option<Pin<Box<Sleep>>>,
}

/// Starts `command` in a shell. What it writes to standard error goes to ours.
pub(super) fn start(command: &str) -> io::Result<Pipes> {
    let mut program =
        shell(command).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    match (program.stdin.take(), program.stdout.take()) {
        (Some(input), Some(output)) => Ok(Pipes { input, output, program, linger: None }),
        _ => Err(io::Error::other("the command was started without pipes")),
    }
}

#[cfg(unix)]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("/bin/sh");
    // The shell is replaced, so that what is killed in the end is the program.
    shell.arg("-c").arg(format!("exec {command}"));
    // Ctrl-C is for us: what is carried may go on until it has ended.
    shell.process_group(0);
    shell
}

#[cfg(not(unix))]
fn shell(command: &str) -> Command {
    let mut shell = Command::new("cmd");
    shell.arg("/C").arg(command);
    shell
}

impl AsyncRead for Pipes {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.remaining();
        ready!(Pin::new(&mut self.output).poll_read(cx, buffer))?;
        if buffer.remaining() < before || before == 0 {
            return Poll::Ready(Ok(()));
        }
        match ready!(self.poll_ended(cx)) {
            Some(status) if !status.success() => Poll::Ready(Err(ended(status))),
            _ => Poll::Ready(Ok(())),
        }
    }
}

impl Pipes {
    /// How the program ended, if it does soon.
    fn poll_ended(&mut self, cx: &mut Context<'_>) -> Poll<Option<ExitStatus>> {
        if let Poll::Ready(status) = pin!(self.program.wait()).poll(cx) {
            return Poll::Ready(status.ok());
        }
        let linger = self.linger.get_or_insert_with(|| Box::pin(sleep(LINGER)));
        linger.as_mut().poll(cx).map(|()| None)
    }
}

fn ended(status: ExitStatus) -> io::Error {
    io::Error::other(format!("the command ended: {status}"))
}

impl AsyncWrite for Pipes {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match ready!(Pin::new(&mut self.input).poll_write(cx, bytes)) {
            Ok(count) => Poll::Ready(Ok(count)),
            Err(error) => {
                let status = ready!(self.poll_ended(cx));
                Poll::Ready(Err(status.map_or(error, ended)))
            }
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}
