//! Algorithms for old peers. None is offered unless it is asked for, and agreeing on one raises a warning.

pub mod arcfour;
pub mod cbc;
pub mod diffie_hellman;
pub mod hmac;
pub mod ssh_dss;
pub mod ssh_rsa;
pub mod triple_des_ctr;
