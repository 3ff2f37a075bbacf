/** Sessions: who may hold locks, and what ends that. */
@NullMarked
package registry.server.session;

import org.jspecify.annotations.NullMarked;
