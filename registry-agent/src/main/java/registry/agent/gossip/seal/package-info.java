/** Gossip that only holders of a key can read, forge or join. */
@NullMarked
package registry.agent.gossip.seal;

import org.jspecify.annotations.NullMarked;
