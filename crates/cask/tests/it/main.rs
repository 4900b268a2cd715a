//! One binary that drives the real command line.

mod diff;
mod drift;
mod gate;
mod run;
mod world;
