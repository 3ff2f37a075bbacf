/** Snapshots for users: archives of the whole state, and restores through the log. */
@NullMarked
package registry.server.snapshot;

import org.jspecify.annotations.NullMarked;
