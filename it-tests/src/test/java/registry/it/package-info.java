/** Black-box tests: each starts the packaged launcher as real processes. */
@NullMarked
package registry.it;

import org.jspecify.annotations.NullMarked;
