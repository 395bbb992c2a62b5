// Tells the host how high the card has become, so that it is neither cut nor surrounded by emptiness.

/** Calls `tell` with the size of the document whenever it has changed, once a frame at most. */
export function watchSize(tell: (width: number, height: number) => void): void {
  const root = document.documentElement;
  let told = "";
  let planned = false;
  const measure = (): void => {
    planned = false;
    const [width, height] = [Math.ceil(window.innerWidth), Math.ceil(root.getBoundingClientRect().height)];
    if (told === `${width} ${height}`) return;
    told = `${width} ${height}`;
    tell(width, height);
  };
  new ResizeObserver(() => {
    if (planned) return;
    planned = true;
    requestAnimationFrame(measure);
  }).observe(root);
  measure();
}
