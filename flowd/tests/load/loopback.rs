//! Clients at addresses of their own: of the daemon's web server at addresses of loopback, and of other servers.

use std::{
    io,
    net::{SocketAddr, TcpStream},
    time::Duration,
};

use tokio::{net::TcpSocket, runtime::Builder, time::timeout};

/// A connection to the daemon from that address of loopback, with so many bytes of room for what it does not read.
pub fn connect(from: [u8; 4], room: Option<u32>) -> io::Result<TcpStream> {
    connect_to(([127, 0, 0, 1], 9_435).into(), from, room)
}

/// The same to any server.
pub fn connect_to(to: SocketAddr, from: [u8; 4], room: Option<u32>) -> io::Result<TcpStream> {
    let runtime = Builder::new_current_thread().enable_all().build()?;
    let stream = runtime.block_on(async {
        let socket = TcpSocket::new_v4()?;
        if let Some(room) = room {
            socket.set_recv_buffer_size(room)?;
        }
        socket.bind((from, 0).into())?;
        let connected = timeout(Duration::from_secs(5), socket.connect(to));
        connected.await.map_err(|_| io::ErrorKind::TimedOut)??.into_std()
    })?;
    stream.set_nonblocking(false)?;
    Ok(stream)
}
