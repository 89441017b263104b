//! The server is reached through proxies and programs of others; what goes wrong there is told as theirs.

mod bed;
mod commands;
mod desktop;
mod environment;
mod http;
mod imposters;
mod local_end;
mod socks;
