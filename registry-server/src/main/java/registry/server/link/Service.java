package registry.server.link;

import java.util.concurrent.ThreadFactory;

/**
 * What is spoken on a link, and how much of it.
 *
 * @param id its byte in the hello; part of the wire format
 * @param self id of this end, of the kind that the service uses
 * @param handler hears what comes in
 * @param maxFrameBytes the largest message; a longer one ends the link
 * @param maxQueueBytes what may wait to be sent, and what may be worked on for the other end, at
 *     any time
 * @param threads reads and writes: platform threads for Raft, virtual ones for the many
 * @param onePerPeer among servers only: a new incoming link of a peer ends its predecessor first
 */
public record Service(
        byte id,
        String self,
        Link.Handler handler,
        int maxFrameBytes,
        int maxQueueBytes,
        ThreadFactory threads,
        boolean onePerPeer) {}
