mod generated;
mod kit;
mod losses;
mod recognition;
mod stories;
