/** A write that is sent again because its answer was lost is applied once. */
@NullMarked
package registry.server.once;

import org.jspecify.annotations.NullMarked;
