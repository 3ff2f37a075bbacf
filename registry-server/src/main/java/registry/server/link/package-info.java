/**
 * Port 8300: framed messages between servers, and from agents to servers, over plain sockets. Knows
 * neither Raft nor gossip: a false suspicion there must cut nobody off here.
 */
@NullMarked
package registry.server.link;

import org.jspecify.annotations.NullMarked;
