/** Orders commands by Raft and knows no feature. */
@NullMarked
package registry.server.raft;

import org.jspecify.annotations.NullMarked;
