# SPDX-License-Identifier: Apache-2.0
libsentry_a_SOURCES += %D%/socket.h %D%/socket.c %D%/socket_wait.c %D%/socket_file.c \
	%D%/socket_option.c %D%/message_queue.h %D%/message_queue.c %D%/file_batch.h %D%/file_batch.c \
	%D%/net_namespace.h %D%/net_namespace.c %D%/netdevice.h %D%/netdevice.c \
	%D%/unix/unix.h %D%/unix/unix_socket.c %D%/unix/unix_address.c %D%/unix/unix_connect.c \
	%D%/unix/unix_stream.c %D%/unix/unix_dgram.c %D%/unix/unix_flight.c %D%/unix/unix_list.c \
	%D%/netlink/netlink.h %D%/netlink/netlink.c %D%/netlink/route.c %D%/netlink/sock_diag.c \
	%D%/netlink/unix_diag.c \
	%D%/netlink/record.h %D%/netlink/record.c %D%/net_sockets.c \
	%D%/inet/provider.h %D%/inet/inet_family.c %D%/inet/loopback.c \
	%D%/inet/inet.h %D%/inet/inet.c %D%/inet/inet_address.c %D%/inet/inet_port.c \
	%D%/inet/inet_option.c %D%/inet/inet_datagram.c \
	%D%/hostinet/hostinet.h %D%/hostinet/hostinet_socket.c %D%/hostinet/hostinet_message.c \
	%D%/hostinet/hostinet_control.c %D%/hostinet/hostinet_option.c %D%/hostinet/hostinet_tables.c
