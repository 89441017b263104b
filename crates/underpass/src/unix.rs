//! Unix-domain sockets: listening so that only the owner gets in, and connecting. Other platforms have none.

#[cfg(unix)]
pub(crate) use here::{UnixDoor, bind, connect};
#[cfg(not(unix))]
pub(crate) use nowhere::{UnixDoor, bind, connect};

#[cfg(unix)]
mod here {
    use std::fs;
    use std::io;
    use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _, PermissionsExt as _};
    use std::path::{Path, PathBuf};

    use socket2::{Domain, SockAddr, Socket, Type};
    use tokio::net::{UnixListener, UnixStream};

    use crate::session::Stream;

    const BACKLOG: i32 = 1024;

    /// A listener, and the file that leads to it.
    pub(crate) struct UnixDoor {
        listener: UnixListener,
        path: PathBuf,
        /// The file's device and number, so that nobody else's is removed in the end.
        identity: (u64, u64),
    }

    impl UnixDoor {
        pub(crate) fn path(&self) -> &Path {
            &self.path
        }

        pub(crate) async fn accept(&self) -> io::Result<Stream> {
            Ok(self.listener.accept().await?.0.into())
        }
    }

    impl Drop for UnixDoor {
        fn drop(&mut self) {
            if identity(&self.path).is_ok_and(|now| now == self.identity) {
                // A file that somebody else has removed need not be.
                let _ = fs::remove_file(&self.path);
            }
        }
    }

    /// Listens at `path`. With `unlink`, a socket that nobody listens at any more is replaced.
    pub(crate) fn bind(path: &Path, unlink: bool) -> io::Result<UnixDoor> {
        if unlink {
            remove_stale(path)?;
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.set_nonblocking(true)?;
        socket.bind(&SockAddr::unix(path)?)?;
        let identity = identity(path)?;
        // Nobody can connect before it listens, so nobody gets in before this.
        if let Err(error) = fs::set_permissions(path, fs::Permissions::from_mode(0o600)) {
            let _ = fs::remove_file(path);
            return Err(error);
        }
        socket.listen(BACKLOG)?;
        let listener = UnixListener::from_std(std::os::unix::net::UnixListener::from(socket))?;
        Ok(UnixDoor { listener, path: path.to_owned(), identity })
    }

    pub(crate) async fn connect(path: &Path) -> io::Result<Stream> {
        Ok(UnixStream::connect(path).await?.into())
    }

    /// Whatever is no socket, and a socket that answers, stays; binding then fails.
    fn remove_stale(path: &Path) -> io::Result<()> {
        let is_socket = fs::symlink_metadata(path).is_ok_and(|file| file.file_type().is_socket());
        if is_socket
            && let Err(error) = std::os::unix::net::UnixStream::connect(path)
            && error.kind() == io::ErrorKind::ConnectionRefused
        {
            fs::remove_file(path)?;
        }
        Ok(())
    }

    fn identity(path: &Path) -> io::Result<(u64, u64)> {
        fs::symlink_metadata(path).map(|file| (file.dev(), file.ino()))
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        fn refusal(bound: io::Result<UnixDoor>) -> io::ErrorKind {
            bound.err().expect("it is taken").kind()
        }

        #[tokio::test]
        async fn only_the_owner_gets_in_and_the_file_goes_with_the_listener() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("socket");
            let door = bind(&path, false).unwrap();
            assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
            drop(door);
            assert!(!path.exists());
        }

        #[tokio::test]
        async fn a_stale_socket_is_replaced_when_that_is_wanted_and_nothing_else_is() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("socket");
            drop(std::os::unix::net::UnixListener::bind(&path).unwrap());
            assert_eq!(refusal(bind(&path, false)), io::ErrorKind::AddrInUse);
            let door = bind(&path, true).unwrap();
            assert_eq!(refusal(bind(&path, true)), io::ErrorKind::AddrInUse, "it is in use");
            drop(door);
            fs::write(&path, "a file").unwrap();
            assert_eq!(refusal(bind(&path, true)), io::ErrorKind::AddrInUse);
            assert_eq!(fs::read(&path).unwrap(), b"a file");
        }

        #[tokio::test]
        async fn somebody_elses_file_is_not_removed() {
            let directory = tempfile::tempdir().unwrap();
            let path = directory.path().join("socket");
            let door = bind(&path, false).unwrap();
            fs::remove_file(&path).unwrap();
            fs::write(&path, "mine").unwrap();
            drop(door);
            assert!(path.exists());
        }
    }
}

#[cfg(not(unix))]
mod nowhere {
    use std::convert::Infallible;
    use std::io;
    use std::path::Path;

    use crate::session::Stream;

    pub(crate) struct UnixDoor(Infallible);

    impl UnixDoor {
        pub(crate) fn path(&self) -> &Path {
            match self.0 {}
        }

        pub(crate) async fn accept(&self) -> io::Result<Stream> {
            match self.0 {}
        }
    }

    pub(crate) fn bind(_: &Path, _: bool) -> io::Result<UnixDoor> {
        Err(io::ErrorKind::Unsupported.into())
    }

    pub(crate) async fn connect(_: &Path) -> io::Result<Stream> {
        Err(io::ErrorKind::Unsupported.into())
    }
}
