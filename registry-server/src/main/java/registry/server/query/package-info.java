/** Prepared queries: kept, filled in from the name asked for, and run. */
@NullMarked
package registry.server.query;

import org.jspecify.annotations.NullMarked;
