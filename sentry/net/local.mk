# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/socket.h %D%/socket.c %D%/socket_wait.c %D%/socket_file.c \
	%D%/socket_option.c %D%/message_queue.h %D%/message_queue.c %D%/file_batch.h %D%/file_batch.c \
	%D%/net_namespace.h %D%/net_namespace.c %D%/netdevice.h %D%/netdevice.c \
	%D%/unix/unix.h %D%/unix/unix_socket.c %D%/unix/unix_address.c %D%/unix/unix_connect.c \
	%D%/unix/unix_stream.c %D%/unix/unix_dgram.c %D%/unix/unix_flight.c \
	%D%/netlink/netlink.h %D%/netlink/netlink.c %D%/netlink/route.c \
	%D%/inet/inet.h %D%/inet/inet.c %D%/inet/inet_address.c %D%/inet/inet_port.c \
	%D%/inet/inet_option.c %D%/inet/inet_datagram.c
