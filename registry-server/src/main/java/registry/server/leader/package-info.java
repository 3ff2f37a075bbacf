/** What only the leader does: reconciling the catalogue with the gossip members. */
@NullMarked
package registry.server.leader;

import org.jspecify.annotations.NullMarked;
