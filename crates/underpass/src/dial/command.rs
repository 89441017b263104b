//! A program that connects to the server and passes the bytes on, as `ProxyCommand` has it.

use std::io;
use std::pin::Pin;
use std::process::Stdio;
use std::task::{Context, Poll};

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};

/// The program's standard input and output. Dropped, the program is killed.
pub(super) struct Pipes {
    input: ChildStdin,
    output: ChildStdout,
    _program: Child,
}

/// Starts `command` in a shell. What it writes to standard error goes to ours.
pub(super) fn start(command: &str) -> io::Result<Pipes> {
    let mut program =
        shell(command).stdin(Stdio::piped()).stdout(Stdio::piped()).kill_on_drop(true).spawn()?;
    match (program.stdin.take(), program.stdout.take()) {
        (Some(input), Some(output)) => Ok(Pipes { input, output, _program: program }),
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
        Pin::new(&mut self.output).poll_read(cx, buffer)
    }
}

impl AsyncWrite for Pipes {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.input).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.input).poll_shutdown(cx)
    }
}
