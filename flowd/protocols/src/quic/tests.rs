mod generated;
mod kit;
mod stories;
