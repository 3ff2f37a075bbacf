/** The language of {@code filter=}: its parser, and what it may ask of which rows. */
@NullMarked
package registry.server.filter;

import org.jspecify.annotations.NullMarked;
