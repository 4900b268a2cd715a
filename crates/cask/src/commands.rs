//! One command a file: arguments (their doc comments are the help), then load, core function, render, exit code.

pub mod bundle;
pub mod capture;
pub mod compile;
pub mod config;
pub mod demo;
pub mod diff;
pub mod doctor;
pub mod drift;
pub mod explain;
pub mod gate;
pub mod init;
pub mod keys;
pub mod lint;
pub mod mcp;
pub mod migrate;
pub mod mint;
pub mod openapi;
pub mod run;
pub mod scopes;
pub mod state;
pub mod trust;
pub mod verify;
