/** Starts the packaged product as real processes, for our own tests and for those of its users. */
@NullMarked
package registry.it;

import org.jspecify.annotations.NullMarked;
