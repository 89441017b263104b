//! The methods that need no connection: packets of the program's own authentication.

use crate::code_page::Encoding;
use crate::lock::lock;
use crate::packet::{self, PacketError};
use crate::store::sentence;
use crate::{Error, SshTunnel, text};

impl SshTunnel {
    /// Turns the bytes of a packet into their hexadecimal form.
    pub fn encode_packet(&self, packet: &[u8]) -> String {
        packet::encode_packet(packet)
    }

    /// Turns the hexadecimal form of a packet into its bytes.
    ///
    /// # Errors
    /// It is not hexadecimal.
    pub fn decode_packet(&self, encoded_packet: &str) -> Result<Vec<u8>, Error> {
        packet::decode_packet(encoded_packet).map_err(invalid)
    }

    /// Adds a field to the end of a packet: `s` text, `sb` a string of bytes in hexadecimal, `m` a number of any size, `i`
    /// one of 32 bits, `l` one of 64, `b` a byte, `f` true or false. Numbers are decimal, or hexadecimal after `0x`.
    ///
    /// # Errors
    /// There is no such type, or the value is none of it. 434: the code page lacks a character of the text.
    pub fn set_ssh_param(
        &self,
        payload: impl Into<Vec<u8>>,
        field_type: &str,
        field_value: &str,
    ) -> Result<Vec<u8>, Error> {
        packet::set_ssh_param(payload.into(), field_type, field_value, &self.encoding()?).map_err(|problem| {
            match problem {
                PacketError::Unencodable(_) => Error::new(434).because(sentence(problem)),
                problem => invalid(problem),
            }
        })
    }

    /// Reads a field of a packet as text: by its name, in requests on channels, or after `%` by the types of the fields up
    /// to it, such as `%b,s`.
    ///
    /// # Errors
    /// There is no such field.
    pub fn get_ssh_param(&self, payload: &[u8], field: &str) -> Result<String, Error> {
        packet::get_ssh_param(payload, field, &self.encoding()?).map_err(invalid)
    }

    /// Reads a field of a packet as bytes: the content of a string, other fields as they are in the packet.
    ///
    /// # Errors
    /// There is no such field.
    pub fn get_ssh_param_bytes(&self, payload: &[u8], field: &str) -> Result<Vec<u8>, Error> {
        packet::get_ssh_param_bytes(payload, field).map_err(invalid)
    }

    fn encoding(&self) -> Result<Encoding, Error> {
        text::encoding(&lock(&self.0.store))
    }
}

fn invalid(problem: PacketError) -> Error {
    Error::invalid(sentence(problem))
}
