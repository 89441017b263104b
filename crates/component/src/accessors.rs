//! The properties with their types. Made from the table of properties by `tests/generated`; not edited by hand.

use crate::{Error, SshTunnel};

impl SshTunnel {
    /// Whether there is a connection to the server; setting it is `connect` or the end of it. Default: `False`.
    pub fn connected(&self) -> bool {
        self.get_as("connected")
    }

    /// Sets [`connected`](Self::connected).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_connected(&self, value: bool) -> Result<(), Error> {
        self.set("connected", value)
    }

    /// How many clients may wait to be accepted. Default: `5`.
    pub fn connection_backlog(&self) -> i64 {
        self.get_as("connection_backlog")
    }

    /// Sets [`connection_backlog`](Self::connection_backlog).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_connection_backlog(&self, value: i64) -> Result<(), Error> {
        self.set("connection_backlog", value)
    }

    /// How many clients there are. Default: `0`.
    pub fn client_count(&self) -> i64 {
        self.get_as("client_count")
    }

    /// Whether data is read from the client's connection. Default: `True`.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_accept_data(&self, client: i64) -> Result<bool, Error> {
        self.get_client_as("client_accept_data", client)
    }

    /// Sets [`client_accept_data`](Self::client_accept_data).
    ///
    /// # Errors
    /// 126; or the value is no good.
    pub fn set_client_accept_data(&self, client: i64, value: bool) -> Result<(), Error> {
        self.set_client("client_accept_data", client, value)
    }

    /// How many bytes of the last `client_data_to_send` are sent. Default: `0`.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_bytes_sent(&self, client: i64) -> Result<i64, Error> {
        self.get_client_as("client_bytes_sent", client)
    }

    /// Whether the client is connected; false ends its connection. Default: `False`.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_connected(&self, client: i64) -> Result<bool, Error> {
        self.get_client_as("client_connected", client)
    }

    /// Sets [`client_connected`](Self::client_connected).
    ///
    /// # Errors
    /// 126; or the value is no good.
    pub fn set_client_connected(&self, client: i64, value: bool) -> Result<(), Error> {
        self.set_client("client_connected", client, value)
    }

    /// What identifies the client's connection.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_connection_id(&self, client: i64) -> Result<String, Error> {
        self.get_client_as("client_connection_id", client)
    }

    /// Sends these bytes.
    ///
    /// # Errors
    /// 126, 10035; or the value is no good.
    pub fn set_client_data_to_send(&self, client: i64, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.set_client("client_data_to_send", client, Into::<Vec<u8>>::into(value))
    }

    /// What ends a line of the client's data; without it data is told of as it comes.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_eol(&self, client: i64) -> Result<Vec<u8>, Error> {
        self.get_client_as("client_eol", client)
    }

    /// Sets [`client_eol`](Self::client_eol).
    ///
    /// # Errors
    /// 126; or the value is no good.
    pub fn set_client_eol(&self, client: i64, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.set_client("client_eol", client, Into::<Vec<u8>>::into(value))
    }

    /// After how long without data the client is disconnected; 0 for never. Default: `0`.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_idle_timeout(&self, client: i64) -> Result<i64, Error> {
        self.get_client_as("client_idle_timeout", client)
    }

    /// Sets [`client_idle_timeout`](Self::client_idle_timeout).
    ///
    /// # Errors
    /// 126; or the value is no good.
    pub fn set_client_idle_timeout(&self, client: i64, value: i64) -> Result<(), Error> {
        self.set_client("client_idle_timeout", client, value)
    }

    /// The address of this machine that the client has connected to.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_local_address(&self, client: i64) -> Result<String, Error> {
        self.get_client_as("client_local_address", client)
    }

    /// Whether data would be taken now. Default: `False`.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_ready_to_send(&self, client: i64) -> Result<bool, Error> {
        self.get_client_as("client_ready_to_send", client)
    }

    /// How many bytes are told of at a time; 0 for as they come. Default: `0`.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_record_length(&self, client: i64) -> Result<i64, Error> {
        self.get_client_as("client_record_length", client)
    }

    /// Sets [`client_record_length`](Self::client_record_length).
    ///
    /// # Errors
    /// 126; or the value is no good.
    pub fn set_client_record_length(&self, client: i64, value: i64) -> Result<(), Error> {
        self.set_client("client_record_length", client, value)
    }

    /// The address the client connects from.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_remote_host(&self, client: i64) -> Result<String, Error> {
        self.get_client_as("client_remote_host", client)
    }

    /// The port the client connects from. Default: `0`.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_remote_port(&self, client: i64) -> Result<i64, Error> {
        self.get_client_as("client_remote_port", client)
    }

    /// Whether CR, LF and CRLF each end a line of the client's data, whatever `client_eol` is. Default: `False`.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_single_line_mode(&self, client: i64) -> Result<bool, Error> {
        self.get_client_as("client_single_line_mode", client)
    }

    /// Sets [`client_single_line_mode`](Self::client_single_line_mode).
    ///
    /// # Errors
    /// 126; or the value is no good.
    pub fn set_client_single_line_mode(&self, client: i64, value: bool) -> Result<(), Error> {
        self.set_client("client_single_line_mode", client, value)
    }

    /// How long sending to the client may take without progress; 0 does not wait. Default: `0`.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_timeout(&self, client: i64) -> Result<i64, Error> {
        self.get_client_as("client_timeout", client)
    }

    /// Sets [`client_timeout`](Self::client_timeout).
    ///
    /// # Errors
    /// 126; or the value is no good.
    pub fn set_client_timeout(&self, client: i64, value: i64) -> Result<(), Error> {
        self.set_client("client_timeout", client, value)
    }

    /// Whatever the program wants to keep with the client.
    ///
    /// # Errors
    /// 126: there is no such client.
    pub fn client_user_data(&self, client: i64) -> Result<Vec<u8>, Error> {
        self.get_client_as("client_user_data", client)
    }

    /// Sets [`client_user_data`](Self::client_user_data).
    ///
    /// # Errors
    /// 126; or the value is no good.
    pub fn set_client_user_data(&self, client: i64, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.set_client("client_user_data", client, Into::<Vec<u8>>::into(value))
    }

    /// `client_eol` of new clients.
    pub fn default_eol(&self) -> Vec<u8> {
        self.get_as("default_eol")
    }

    /// Sets [`default_eol`](Self::default_eol).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_default_eol(&self, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.set("default_eol", Into::<Vec<u8>>::into(value))
    }

    /// `client_single_line_mode` of new clients. Default: `False`.
    pub fn default_single_line_mode(&self) -> bool {
        self.get_as("default_single_line_mode")
    }

    /// Sets [`default_single_line_mode`](Self::default_single_line_mode).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_default_single_line_mode(&self, value: bool) -> Result<(), Error> {
        self.set("default_single_line_mode", value)
    }

    /// `client_timeout` of new clients. Default: `0`.
    pub fn default_timeout(&self) -> i64 {
        self.get_as("default_timeout")
    }

    /// Sets [`default_timeout`](Self::default_timeout).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_default_timeout(&self, value: i64) -> Result<(), Error> {
        self.set("default_timeout", value)
    }

    /// Whether the proxy of the system's settings is used: of the environment's variables, or of the desktop.
    /// Default: `False`.
    pub fn firewall_auto_detect(&self) -> bool {
        self.get_as("firewall_auto_detect")
    }

    /// Sets [`firewall_auto_detect`](Self::firewall_auto_detect).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_firewall_auto_detect(&self, value: bool) -> Result<(), Error> {
        self.set("firewall_auto_detect", value)
    }

    /// Which kind of proxy leads to the server. Default: `0`.
    pub fn firewall_type(&self) -> i64 {
        self.get_as("firewall_type")
    }

    /// Sets [`firewall_type`](Self::firewall_type).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_firewall_type(&self, value: i64) -> Result<(), Error> {
        self.set("firewall_type", value)
    }

    /// The proxy's name or address.
    pub fn firewall_host(&self) -> String {
        self.get_as("firewall_host")
    }

    /// Sets [`firewall_host`](Self::firewall_host).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_firewall_host(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("firewall_host", Into::<String>::into(value))
    }

    /// The password for the proxy.
    pub fn firewall_password(&self) -> String {
        self.get_as("firewall_password")
    }

    /// Sets [`firewall_password`](Self::firewall_password).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_firewall_password(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("firewall_password", Into::<String>::into(value))
    }

    /// The proxy's port. Default: `0`.
    pub fn firewall_port(&self) -> i64 {
        self.get_as("firewall_port")
    }

    /// Sets [`firewall_port`](Self::firewall_port).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_firewall_port(&self, value: i64) -> Result<(), Error> {
        self.set("firewall_port", value)
    }

    /// The user at the proxy.
    pub fn firewall_user(&self) -> String {
        self.get_as("firewall_user")
    }

    /// Sets [`firewall_user`](Self::firewall_user).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_firewall_user(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("firewall_user", Into::<String>::into(value))
    }

    /// Whether TCP finds out that clients are gone. Default: `False`.
    pub fn keep_alive(&self) -> bool {
        self.get_as("keep_alive")
    }

    /// Sets [`keep_alive`](Self::keep_alive).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_keep_alive(&self, value: bool) -> Result<(), Error> {
        self.set("keep_alive", value)
    }

    /// Whether what is to be sent is sent before a client's connection is closed. Default: `True`.
    pub fn linger(&self) -> bool {
        self.get_as("linger")
    }

    /// Sets [`linger`](Self::linger).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_linger(&self, value: bool) -> Result<(), Error> {
        self.set("linger", value)
    }

    /// Whether clients are accepted; setting it is `start_listening` or `stop_listening`. Default: `False`.
    pub fn listening(&self) -> bool {
        self.get_as("listening")
    }

    /// Sets [`listening`](Self::listening).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_listening(&self, value: bool) -> Result<(), Error> {
        self.set("listening", value)
    }

    /// The address of this machine to listen at and connect from.
    pub fn local_host(&self) -> String {
        self.get_as("local_host")
    }

    /// Sets [`local_host`](Self::local_host).
    ///
    /// # Errors
    /// 1119, 107; or the value is no good.
    pub fn set_local_host(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("local_host", Into::<String>::into(value))
    }

    /// The port to listen at; 0 picks a free one, which can then be read. Default: `0`.
    pub fn local_port(&self) -> i64 {
        self.get_as("local_port")
    }

    /// Sets [`local_port`](Self::local_port).
    ///
    /// # Errors
    /// 106; or the value is no good.
    pub fn set_local_port(&self, value: i64) -> Result<(), Error> {
        self.set("local_port", value)
    }

    /// The server's key that is accepted, in PEM or base64.
    pub fn ssh_accept_server_host_key_encoded(&self) -> Vec<u8> {
        self.get_as("ssh_accept_server_host_key_encoded")
    }

    /// Sets [`ssh_accept_server_host_key_encoded`](Self::ssh_accept_server_host_key_encoded).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_accept_server_host_key_encoded(&self, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.set("ssh_accept_server_host_key_encoded", Into::<Vec<u8>>::into(value))
    }

    /// How to log in. Default: `2`.
    pub fn ssh_auth_mode(&self) -> i64 {
        self.get_as("ssh_auth_mode")
    }

    /// Sets [`ssh_auth_mode`](Self::ssh_auth_mode).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_auth_mode(&self, value: i64) -> Result<(), Error> {
        self.set("ssh_auth_mode", value)
    }

    /// The certificate to log in with, in PEM or base64; its key is found in the store.
    pub fn ssh_cert_encoded(&self) -> Vec<u8> {
        self.get_as("ssh_cert_encoded")
    }

    /// Sets [`ssh_cert_encoded`](Self::ssh_cert_encoded).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_cert_encoded(&self, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.set("ssh_cert_encoded", Into::<Vec<u8>>::into(value))
    }

    /// The store of the key to log in with: its name, a file or the content. Default: `MY`.
    pub fn ssh_cert_store(&self) -> Vec<u8> {
        self.get_as("ssh_cert_store")
    }

    /// Sets [`ssh_cert_store`](Self::ssh_cert_store).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_cert_store(&self, value: impl Into<Vec<u8>>) -> Result<(), Error> {
        self.set("ssh_cert_store", Into::<Vec<u8>>::into(value))
    }

    /// The password of the store, or the PIN of the token.
    pub fn ssh_cert_store_password(&self) -> String {
        self.get_as("ssh_cert_store_password")
    }

    /// Sets [`ssh_cert_store_password`](Self::ssh_cert_store_password).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_cert_store_password(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("ssh_cert_store_password", Into::<String>::into(value))
    }

    /// What kind of store it is. Default: `0`.
    pub fn ssh_cert_store_type(&self) -> i64 {
        self.get_as("ssh_cert_store_type")
    }

    /// Sets [`ssh_cert_store_type`](Self::ssh_cert_store_type).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_cert_store_type(&self, value: i64) -> Result<(), Error> {
        self.set("ssh_cert_store_type", value)
    }

    /// The subject of the certificate; setting it finds one in the store, `*` any.
    pub fn ssh_cert_subject(&self) -> String {
        self.get_as("ssh_cert_subject")
    }

    /// Sets [`ssh_cert_subject`](Self::ssh_cert_subject).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_cert_subject(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("ssh_cert_subject", Into::<String>::into(value))
    }

    /// The compressions offered, best first. Default: `none,zlib`.
    pub fn ssh_compression_algorithms(&self) -> String {
        self.get_as("ssh_compression_algorithms")
    }

    /// Sets [`ssh_compression_algorithms`](Self::ssh_compression_algorithms).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_compression_algorithms(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("ssh_compression_algorithms", Into::<String>::into(value))
    }

    /// The ciphers offered, best first. Default:
    /// `aes256-ctr,aes192-ctr,aes128-ctr,aes256-cbc,aes192-cbc,aes128-cbc,3des-ctr,3des-cbc,blowfish-cbc,arcfour256,arcfour128,arcfour,cast128-cbc,aes256-gcm@openssh.com,aes128-gcm@openssh.com,chacha20-poly1305@openssh.com`.
    pub fn ssh_encryption_algorithms(&self) -> String {
        self.get_as("ssh_encryption_algorithms")
    }

    /// Sets [`ssh_encryption_algorithms`](Self::ssh_encryption_algorithms).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_encryption_algorithms(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("ssh_encryption_algorithms", Into::<String>::into(value))
    }

    /// The target, as seen from the server; without it each client names its own.
    pub fn ssh_forward_host(&self) -> String {
        self.get_as("ssh_forward_host")
    }

    /// Sets [`ssh_forward_host`](Self::ssh_forward_host).
    ///
    /// # Errors
    /// 101, 102; or the value is no good.
    pub fn set_ssh_forward_host(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("ssh_forward_host", Into::<String>::into(value))
    }

    /// The target's port. Default: `0`.
    pub fn ssh_forward_port(&self) -> i64 {
        self.get_as("ssh_forward_port")
    }

    /// Sets [`ssh_forward_port`](Self::ssh_forward_port).
    ///
    /// # Errors
    /// 100, 116; or the value is no good.
    pub fn set_ssh_forward_port(&self, value: i64) -> Result<(), Error> {
        self.set("ssh_forward_port", value)
    }

    /// The server's name or address.
    pub fn ssh_host(&self) -> String {
        self.get_as("ssh_host")
    }

    /// Sets [`ssh_host`](Self::ssh_host).
    ///
    /// # Errors
    /// 101, 102; or the value is no good.
    pub fn set_ssh_host(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("ssh_host", Into::<String>::into(value))
    }

    /// The password to log in with.
    pub fn ssh_password(&self) -> String {
        self.get_as("ssh_password")
    }

    /// Sets [`ssh_password`](Self::ssh_password).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_password(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("ssh_password", Into::<String>::into(value))
    }

    /// The server's port. Default: `22`.
    pub fn ssh_port(&self) -> i64 {
        self.get_as("ssh_port")
    }

    /// Sets [`ssh_port`](Self::ssh_port).
    ///
    /// # Errors
    /// 100, 116; or the value is no good.
    pub fn set_ssh_port(&self, value: i64) -> Result<(), Error> {
        self.set("ssh_port", value)
    }

    /// The user to log in as.
    pub fn ssh_user(&self) -> String {
        self.get_as("ssh_user")
    }

    /// Sets [`ssh_user`](Self::ssh_user).
    ///
    /// # Errors
    /// The value is no good.
    pub fn set_ssh_user(&self, value: impl Into<String>) -> Result<(), Error> {
        self.set("ssh_user", Into::<String>::into(value))
    }
}
