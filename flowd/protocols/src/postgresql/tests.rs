mod generated;
mod kit;
mod lost;
mod recognised;
mod stories;
